// What the author wrote: templates with file and line, arguments, model and settings, output type.
import type { Definition, Place } from "../api/types";
import { templateParts } from "../lib/template";
import { CopyButton } from "./CopyButton";
import { ValueView } from "./ValueView";

export function DefinitionView({ definition }: { definition: Definition | null }) {
  if (!definition) {
    return <p className="muted">The run's stored chain does not say how this step was declared.</p>;
  }
  const { templates, place, called, output_schema: schema } = definition;
  return (
    <div className="definition">
      {templates.map((template, i) => (
        <section key={i} className="message" aria-label={`${template.role} template`}>
          <div className="message-head">
            <h3>{template.role}</h3>
            <PlaceText place={template.place} />
            <CopyButton text={template.template} />
          </div>
          <pre className="prompt">
            {templateParts(template.template).map((part, j) =>
              part.kind === "text" ? part.text : <span key={j} className={`jinja-${part.kind}`}>{part.text}</span>,
            )}
          </pre>
        </section>
      ))}
      <dl className="settings">
        {place && templates.length === 0 && <Row name="declared at" value={written(place)} />}
        {called && <Row name="called at" value={written(called)} />}
        {definition.settings.map((setting) => (
          <Row key={setting.name} name={setting.name} value={setting.value} />
        ))}
        {definition.arguments.map((argument) => (
          <Row key={`argument ${argument.name}`} name={`${argument.name} =`} value={argument.value} />
        ))}
      </dl>
      {schema && (
        <details>
          <summary>Output type</summary>
          <ValueView text={{ text: schema, size: schema.length, cut: false, hash: null }} label="JSON Schema of the output" />
        </details>
      )}
    </div>
  );
}

function Row({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="mono">{value}</dd>
    </div>
  );
}

function PlaceText({ place }: { place: Place | null }) {
  return place ? (
    <>
      <span className="mono muted place">{written(place)}</span>
      <CopyButton text={written(place)} label="Copy place" />
    </>
  ) : null;
}

function written(place: Place): string {
  return place.line === null ? place.file : `${place.file}:${place.line}`;
}
