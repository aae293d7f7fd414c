// What is wrong with an edit: where, what was expected, what was found, what to do; a binding that is offered.
import type { EditProblem } from "../api/types";
import { lineOf, offeredBind } from "../lib/problems";

type Props = {
  id: string;
  problems: readonly EditProblem[];
  template: string;
  onLine: (line: number) => void;
  onBind: (name: string) => void;
};

export function ProblemList({ id, problems, template, onLine, onBind }: Props) {
  return (
    <div id={id} role="status" className="problems">
      {problems.map((problem, i) => (
        <Problem key={i} problem={problem} line={lineOf(problem, template)} onLine={onLine} onBind={onBind} />
      ))}
    </div>
  );
}

type OneProps = { problem: EditProblem; line: number | null } & Pick<Props, "onLine" | "onBind">;

function Problem({ problem, line, onLine, onBind }: OneProps) {
  const offered = offeredBind(problem);
  return (
    <div className="problem">
      <p className="problem-head">
        {line !== null && (
          <button type="button" className="quiet" onClick={() => onLine(line)}>
            line {line}
          </button>
        )}
        <b>{problem.message}</b>
        <code className="code">{problem.code}</code>
      </p>
      <dl className="problem-facts">
        {problem.expected !== null && <Row name="expected" value={problem.expected} />}
        {problem.got !== null && <Row name="got" value={problem.got} />}
        {problem.remedy && <Row name="fix" value={problem.remedy} />}
      </dl>
      {offered !== null && (
        <button type="button" onClick={() => onBind(offered)}>
          Bind <code>{offered}</code> to the value of that name <kbd>Ctrl .</kbd>
        </button>
      )}
    </div>
  );
}

function Row({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
