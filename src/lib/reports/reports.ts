import { Readable } from 'node:stream';
import { create as contentDisposition } from 'content-disposition';
import { type Clock, destroyOnAbort, linkAbort, toTimestamp } from '../core/index.ts';
import { type Answer, streaming } from '../http/index.ts';
import type { Caller } from '../security/index.ts';
import { describeReports, findReport, type ReportList, reports } from './catalogue.ts';
import { formats } from './formats/formats.ts';
import { limitDuration, maxDurationMs, openSnapshot, refuseTooLarge, type SnapshotSource } from './limits.ts';
import type { Report } from './report.ts';
import { type CheckedRequest, readRequest } from './request.ts';
import { openRowReader } from './row-reader.ts';
import type { RowBatches } from './rows.ts';
import { wallClock } from './time-zone.ts';

interface ReportsPorts {
  readonly clock: Clock;
  readonly database: SnapshotSource;
}

/** Reports: what a caller may see, as rows of one unmoving view of the data. */
export interface Reports {
  /** The reports the caller may run. */
  list(caller: Caller): ReportList;
  /**
   * Runs a report and streams it. The view is held until the stream of the answer has closed.
   *
   * @param query - the query parameters as they came; the report's declaration decides on them
   * @param accept - the `Accept` header, for when the query names no format
   * @param signal - ends the run at any time, also while it streams
   * @throws AppError `not_found`, `forbidden`, `validation_failed`, `report_too_large`, `report_busy`
   */
  run(
    caller: Caller,
    name: string,
    query: Readonly<Record<string, string>>,
    accept: string | undefined,
    signal: AbortSignal,
  ): Promise<Answer>;
}

/** Makes the reports room. */
export function createReports({ clock, database }: ReportsPorts): Reports {
  return {
    list: (caller) => describeReports(reports, caller),
    async run(caller, name, query, accept, signal) {
      const report = findReport(reports, caller, name);
      const request = readRequest(report, query, accept, clock.now());
      await using resources = new AsyncDisposableStack();
      const life = resources.use(linkAbort(signal));
      resources.defer(limitDuration(clock, report.name, life));
      const snapshot = resources.use(await openSnapshot(database, clock, life));
      const generatedAt = toTimestamp(clock.now());
      const reader = await openRowReader(snapshot.db, {
        query: report.query(snapshot.db, { caller, range: request.range }),
        orderBy: report.orderBy,
        signal: life.signal,
        // Our own limit comes first; this one is for when its word does not reach the server.
        statementTimeoutMs: maxDurationMs + 1_000,
      });
      await refuseTooLarge(report.name, reader);
      const stream = render(report, request, reader.batches());
      resources.defer(destroyOnAbort(stream, life.signal));
      const held = resources.move();
      stream.once('close', () => held.disposeAsync());
      return streaming(200, stream, {
        ...describeContent(report, request),
        'x-report-snapshot': snapshot.id,
        'x-report-generated-at': generatedAt,
      });
    },
  };
}

function render(report: Report, request: CheckedRequest, batches: RowBatches): Readable {
  const stream = Readable.from(
    formats[request.format].encode(batches, { report: report.name, columns: report.columns, ...request }),
  );
  // Nobody listens any more when the client goes between here and the first read; without a listener that would end
  // the process.
  stream.on('error', () => {});
  return stream;
}

function describeContent(report: Report, { format, range, parameters: { tz } }: CheckedRequest) {
  const { contentType, isAttachment } = formats[format];
  const nameOf = (moment: number) => wallClock(moment, tz).replace('T00:00:00', '').replaceAll(':', '');
  const fileName = `${report.name}_${nameOf(range.fromMs)}_${nameOf(range.toMs)}.${format}`;
  return {
    'content-type': contentType,
    ...(isAttachment && { 'content-disposition': contentDisposition(fileName) }),
  };
}
