import {
  endOfLog,
  type GuardedProcess,
  type Program,
  startGuarded,
  waitUntilReady,
} from './guarded-process.ts';

/** What both services are started with. */
export interface ServiceOptions {
  /** An existing folder for their data, logs and secrets. */
  readonly folder: string;
  /** For tests: the folder goes away when this process ends without having stopped the service. */
  readonly temporary?: boolean;
  /** Called when a service ends without having been asked to. */
  readonly onUnexpectedExit?: ((name: string, logFile: string) => void) | undefined;
}

/** A service that this process runs. */
export interface Service {
  /** Starts it again after `stop`, on the same ports with the same data. */
  start(): Promise<void>;
  /** Ends it cleanly; without effect when it is not running. */
  stop(): Promise<void>;
}

/** How one service is started. */
export interface ServiceDefinition {
  readonly name: string;
  readonly program: Program;
  readonly logFile: string;
  readonly isReady: () => Promise<boolean>;
  readonly onUnexpectedExit: ServiceOptions['onUnexpectedExit'];
}

/** Makes a service of a program; it is not started yet. */
export function defineService(definition: ServiceDefinition): Service {
  const { name, program, logFile, isReady, onUnexpectedExit } = definition;
  let running: GuardedProcess | undefined;
  return {
    async start() {
      const started = startGuarded(program, logFile);
      await waitUntilReady(name, started, isReady, { details: () => endOfLog(logFile) });
      running = started;
      void started.exited.then(() => {
        if (running === started) onUnexpectedExit?.(name, logFile);
      });
    },
    async stop() {
      const stopping = running;
      running = undefined;
      await stopping?.stop();
    },
  };
}
