import { parse } from 'yaml';
import { listFiles, readText } from './project-files.ts';

/** One step of a job or of a composite action. */
export interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** What may not run at the same time, and what becomes of the rest. */
export interface Concurrency {
  readonly group: string;
  readonly 'cancel-in-progress': unknown;
  readonly queue?: string;
}

/** One job of a workflow: steps, or a call of another workflow. */
export interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly uses?: string;
  readonly 'runs-on'?: string;
  readonly environment?: string;
  readonly concurrency?: Concurrency;
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
  /** What it gives to a workflow that calls it: expressions by name. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: Concurrency;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Trigger {
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, { readonly value: string }>>;
}

/** Reads a workflow or a composite action. */
export function parseWorkflow(path: string, text: string): Workflow {
  const document = parse(text);
  if (document.runs) {
    return {
      path,
      text,
      triggers: [],
      inputs: Object.keys(document.inputs),
      outputs: {},
      jobs: { action: document.runs },
    };
  }
  // A trigger may stand alone, in a list, or with settings.
  const on = typeof document.on === 'string' ? { [document.on]: null } : document.on;
  const triggers: string[] = Array.isArray(on) ? on : Object.keys(on);
  const settings = Object.values(Array.isArray(on) ? {} : on) as (Trigger | null)[];
  const inputs = settings.flatMap((one) => Object.keys(one?.inputs ?? {}));
  const given = settings.flatMap((one) => Object.entries(one?.outputs ?? {}));
  const outputs = Object.fromEntries(given.map(([name, { value }]) => [name, value]));
  const { permissions, concurrency, jobs } = document;
  return { path, text, triggers, inputs, outputs, permissions, concurrency, jobs };
}

/** The workflows and the composite actions of this repository. */
export function readWorkflows(): Workflow[] {
  const paths = listFiles('.github').filter((path) => /^\.github\/(workflows|actions)\/.+\.yml$/.test(path));
  return paths.map((path) => parseWorkflow(path, readText(path)));
}
