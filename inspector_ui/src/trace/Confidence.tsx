// How sure the model was of each token: the darker the ground, the less. The table says the same in numbers.
import { useMemo, useState } from "react";
import { doubt, percent, type Token, tokensOf, visible } from "../lib/logprobs";

const PORTION = 200;
const MOST_MARKED = 5000; // tokens; above it a page only struggles

export function Confidence({ answer }: { answer: string }) {
  const tokens = useMemo(() => tokensOf(answer), [answer]);
  if (!tokens) {
    return <p className="muted">The answer holds no probabilities.</p>;
  }
  return (
    <>
      <div className="value">
        <ul className="value-tools doubt-legend" aria-label="Grounds">
          {["90 % and more", "from 70 %", "from 45 %", "from 20 %", "less"].map((words, level) => (
            <li key={words}>
              <span className={`doubt-${level}`} aria-hidden="true">
                abc
              </span>
              {words}
            </li>
          ))}
        </ul>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long text scrolls, so keys must reach it */}
        <pre className="prompt" tabIndex={0} role="region" aria-label="Reply by confidence">
          {tokens.slice(0, MOST_MARKED).map((token, i) => (
            <span key={i} className={`token doubt-${doubt(token.probability)}`} title={titleOf(token)}>
              {token.text}
            </span>
          ))}
          {tokens.slice(MOST_MARKED).map((token) => token.text)}
        </pre>
      </div>
      <details>
        <summary>Probabilities as a table</summary>
        <TokenTable tokens={tokens} />
      </details>
    </>
  );
}

function titleOf(token: Token): string {
  return [token, ...token.others].map((choice) => `${visible(choice.text)}  ${percent(choice.probability)}`).join("\n");
}

function TokenTable({ tokens }: { tokens: readonly Token[] }) {
  const [shown, setShown] = useState(PORTION);
  return (
    <>
      <table className="tokens">
        <thead>
          <tr>
            <th scope="col">Token</th>
            <th scope="col" className="num">
              Probability
            </th>
            <th scope="col">Instead of</th>
          </tr>
        </thead>
        <tbody>
          {tokens.slice(0, shown).map((token, i) => (
            <tr key={i}>
              <td className="mono">{visible(token.text)}</td>
              <td className="num">{percent(token.probability)}</td>
              <td>
                {token.others.map((other, j) => (
                  <span key={j} className="other">
                    <span className="mono">{visible(other.text)}</span> {percent(other.probability)}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {tokens.length > shown && (
        <button type="button" onClick={() => setShown(shown + PORTION)}>
          Show {Math.min(PORTION, tokens.length - shown)} more of {tokens.length - shown}
        </button>
      )}
    </>
  );
}
