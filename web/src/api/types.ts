/** The shapes of REST answers and live messages, under the names that they have in `spec/openapi.json`. */
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type Comparison = Schemas["Comparison"];
export type ComparedTask = Schemas["ComparedTask"];
export type Difference = Schemas["Difference"];
export type Edge = Schemas["Edge"];
export type ErrorBody = Schemas["ErrorBody"];
export type ErrorInfo = Schemas["ErrorInfo"];
export type Execution = Schemas["Execution"];
export type ExecutionStatus = Schemas["ExecutionStatus"];
export type Finding = Schemas["Finding"];
export type Found = Schemas["Found"];
export type GraphRows = Schemas["GraphRows"];
export type LlmCall = Schemas["LlmCall"];
export type LlmTotals = Schemas["LlmTotals"];
export type LoggedEvent = Schemas["LoggedEvent"];
export type LogLine = Schemas["LogLine"];
export type Node = Schemas["Node"];
export type Rows = Schemas["Rows"];
export type ServerInfo = Schemas["ServerInfo"];
export type SeriesPoint = Schemas["SeriesPoint"];
export type TaskComparison = Schemas["TaskComparison"];
export type TaskExecution = Schemas["TaskExecution"];
export type TaskStatus = Schemas["TaskStatus"];
export type Ticket = Schemas["Ticket"];
export type ValueComparison = Schemas["ValueComparison"];
export type ValueRead = Schemas["ValueRead"];
export type ValueWrite = Schemas["ValueWrite"];
export type DataEdge = Schemas["DataEdge"];
export type Workflow = Schemas["Workflow"];
export type DeletedAnswer = Schemas["DeletedAnswer"];
/** What is left out has its default. */
export type DeleteRequest = Partial<Schemas["DeleteRequest"]>;

/** Any state there is. */
export type Status = ExecutionStatus | TaskStatus;

/** A path that answers `GET` with JSON. */
export type ReadPath = {
  [P in keyof paths]: paths[P] extends {
    get: { responses: { 200: { content: { "application/json": unknown } } } };
  }
    ? P
    : never;
}[keyof paths];

/** What it answers. */
export type Answer<P extends ReadPath> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": infer A } } } };
}
  ? A
  : never;

/** What it may be asked. */
export type Query<P extends ReadPath> = paths[P] extends { get: { parameters: { query?: infer Q } } }
  ? NonNullable<Q>
  : never;
export type Layout = Schemas["Layout"];
export type LayoutGroup = Schemas["LayoutGroup"];
export type Graph = Schemas["Graph"];
export type Analysis = Schemas["Analysis"];
export type Failure = Schemas["Failure"];
export type Profile = Schemas["Profile"];
