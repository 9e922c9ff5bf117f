import { parse } from 'yaml';
import { listFiles, readText } from './project-files.ts';

/** One step of a job or of a composite action. */
export interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly uses?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly Step[];
}

/** A workflow, or a composite action as a workflow of one job called `action`. */
export interface Workflow {
  readonly path: string;
  readonly text: string;
  readonly triggers: readonly string[];
  /** Names of its inputs, whatever starts it. */
  readonly inputs: readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': unknown };
  readonly jobs: Readonly<Record<string, Job>>;
}

type Inputs = Readonly<Record<string, unknown>>;

/** Reads a workflow or a composite action. */
export function parseWorkflow(path: string, text: string): Workflow {
  const document = parse(text);
  if (document.runs) {
    return {
      path,
      text,
      triggers: [],
      inputs: Object.keys(document.inputs),
      jobs: { action: document.runs },
    };
  }
  // A trigger may stand alone, in a list, or with settings.
  const on = typeof document.on === 'string' ? { [document.on]: null } : document.on;
  const triggers: string[] = Array.isArray(on) ? on : Object.keys(on);
  const settings = Object.values(Array.isArray(on) ? {} : on) as ({ inputs?: Inputs } | null)[];
  const inputs = settings.flatMap((one) => Object.keys(one?.inputs ?? {}));
  const { permissions, concurrency, jobs } = document;
  return { path, text, triggers, inputs, permissions, concurrency, jobs };
}

/** The workflows and the composite actions of this repository. */
export function readWorkflows(): Workflow[] {
  const paths = listFiles('.github').filter((path) => /^\.github\/(workflows|actions)\/.+\.yml$/.test(path));
  return paths.map((path) => parseWorkflow(path, readText(path)));
}
