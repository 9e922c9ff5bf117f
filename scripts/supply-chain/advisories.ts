/** The part of what `npm audit --json` prints that is read here. */
interface AuditReport {
  readonly auditReportVersion?: number;
  readonly vulnerabilities?: Readonly<Record<string, { readonly via: readonly (string | Advisory)[] }>>;
}

interface Advisory {
  readonly name: string;
  readonly title: string;
  readonly severity: string;
  readonly url: string;
}

/**
 * Advisories that hit a package of ours and that nobody has explained: `package: title (severity) url`.
 *
 * @param report - what `npm audit --json` has printed
 * @param explained - a text whose tables have a row `| GHSA-… | package | reason |` for each advisory that does no harm here
 * @throws Error when the report is none: a registry that does not answer is no good news
 */
export function unexplainedAdvisories(report: AuditReport, explained: string): string[] {
  if (report.auditReportVersion !== 2 || report.vulnerabilities === undefined) {
    throw new Error(`npm audit has given no report: ${JSON.stringify(report).slice(0, 300)}`);
  }
  const advisories = Object.values(report.vulnerabilities)
    .flatMap(({ via }) => via)
    .filter((one): one is Advisory => typeof one !== 'string');
  const excused = [...explained.matchAll(/^\| (GHSA(?:-\w{4}){3}) \|/gm)].map(([, id]) => id);
  const unexplained = advisories.filter(({ url }) => !excused.some((id) => url.endsWith(`/${id}`)));
  return [
    ...new Set(unexplained.map(({ name, title, severity, url }) => `${name}: ${title} (${severity}) ${url}`)),
  ];
}
