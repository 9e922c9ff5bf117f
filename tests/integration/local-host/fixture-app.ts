import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type LocalHost, type LocalHostOptions, startLocalHost } from '../../../local/host/index.ts';

interface Line {
  readonly level: string;
  readonly message: string;
}

export interface FixtureApp extends LocalHost {
  readonly folder: string;
  /** Everything host and worker have said. */
  readonly lines: readonly Line[];
  /** Resolves with the next line, past or future, that holds the text. */
  line(text: string): Promise<Line>;
}

interface FixtureOptions extends Partial<LocalHostOptions> {
  readonly hostJson?: object;
  /** false: the app answers in buffered mode. */
  readonly stream?: boolean;
}

/** Starts the local host with an app whose main file has the given code after the import of `app`. */
export async function startFixtureApp(code: string, options: FixtureOptions = {}): Promise<FixtureApp> {
  const { hostJson = {}, stream = true, ...rest } = options;
  const folder = rest.appFolder ?? mkdtempSync(join(tmpdir(), 'local-host-'));
  if (!rest.appFolder) {
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', main: 'app.js' }));
    const extensions = { http: { routePrefix: '' } };
    writeFileSync(join(folder, 'host.json'), JSON.stringify({ version: '2.0', extensions, ...hostJson }));
    const setup = `import { app } from '@azure/functions';\napp.setup({ enableHttpStream: ${stream} });\n`;
    writeFileSync(join(folder, 'app.js'), setup + code);
  }
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  const log = (level: string, message: string) => {
    lines.push({ level, message });
    for (const look of waiting) look();
  };
  const line = (text: string) =>
    new Promise<Line>((found) => {
      const look = () => {
        const hit = lines.find(({ message }) => message.includes(text));
        if (!hit) return;
        waiting.delete(look);
        found(hit);
      };
      waiting.add(look);
      look();
    });
  const defaults = { appFolder: folder, stateFolder: join(folder, 'state'), port: 0, env: {}, log };
  try {
    const host = await startLocalHost({ ...defaults, ...rest });
    const stopHost = host.stop;
    const extra = { folder, lines, line, stop: () => stopHost().finally(() => remove(folder)) };
    return Object.defineProperties(host, Object.getOwnPropertyDescriptors(extra)) as FixtureApp;
  } catch (error) {
    remove(folder);
    throw error;
  }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
