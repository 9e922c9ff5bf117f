/** The part of package-lock.json (version 3) that is read here. */
interface LicensedLock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly license?: string; readonly dev?: boolean }>
  >;
}

/** Licences under which code may go into the package: they ask for their text to be kept, and for nothing else. SPDX names. */
const permissive = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'PostgreSQL',
];

/** The packages under one licence. */
interface LicenceGroup {
  /** As the packages say it. */
  readonly licence: string;
  /** `name@version`, by name. */
  readonly packages: readonly string[];
  /** One of its alternatives lets the code go into the package. */
  readonly isPermissive: boolean;
}

/** The licences of everything that is needed at run time, with the most packages first; packages that name none are under `unknown`. */
export function licenceGroups({ packages }: LicensedLock): LicenceGroup[] {
  const groups = new Map<string, string[]>();
  for (const [path, { version, license = 'unknown', dev }] of Object.entries(packages)) {
    if (path === '' || dev) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    groups.set(license, [...(groups.get(license) ?? []), `${name}@${version}`]);
  }
  return [...groups]
    .map(([licence, names]) => ({
      licence,
      packages: [...new Set(names)].sort(),
      isPermissive: isPermissive(licence),
    }))
    .sort((a, b) => b.packages.length - a.packages.length);
}

/** Reads the two forms of SPDX expressions that packages have: `(A OR B)`, `A AND B`; others are refused. */
function isPermissive(licence: string): boolean {
  const alternatives = licence.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return alternatives.some((one) => one.split(' AND ').every((name) => permissive.includes(name)));
}
