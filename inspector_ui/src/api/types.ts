// Short names for the generated types. Nothing is written here that the API does not say.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type RunSummary = Schemas["RunSummary"];
export type RunPage = Schemas["RunPage"];
export type RunView = Schemas["RunView"];
export type StepRow = Schemas["StepRow"];
export type StepView = Schemas["StepView"];
export type AttemptView = Schemas["AttemptView"];
export type MessageView = Schemas["MessageView"];
export type SegmentView = Schemas["SegmentView"];
export type Definition = Schemas["Definition"];
export type Place = Schemas["Place"];
export type Input = Schemas["Input"];
export type Text = Schemas["Text"];
export type Failure = Schemas["Failure"];
export type Graph = Schemas["Graph"];
export type GraphNode = Schemas["GraphNode"];
export type GraphEdge = Schemas["GraphEdge"];
export type Problem = Schemas["Problem"];
export type RunStatus = RunSummary["status"];
export type StepStatus = StepRow["status"];
export type Status = RunStatus | StepStatus;
export type StepKind = StepRow["kind"];
