/** Makes events as a producer would, one number after the other. */
const BEGIN = Date.UTC(2026, 10, 23, 12, 0, 0);

export class Producer {
  private count = 0;

  constructor(
    readonly execution: string,
    readonly workflow: string,
  ) {}

  /** An event so many milliseconds after the run's start. */
  event(type: string, at: number, words: Record<string, unknown> = {}): object {
    this.count += 1;
    return {
      event_id: `${this.execution}-${this.count}`,
      type,
      time: new Date(BEGIN + at).toISOString(),
      execution_id: this.execution,
      workflow_name: this.workflow,
      ...words,
    };
  }

  task(
    type: string,
    at: number,
    task: string,
    data: object = {},
    words: Record<string, unknown> = {},
  ): object {
    return this.event(type, at, {
      task_id: task,
      task_execution_id: `${this.execution}.${task}.0.1`,
      iteration: 0,
      attempt: 1,
      data,
      ...words,
    });
  }
}
