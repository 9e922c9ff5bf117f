/** The part of package-lock.json (version 3) that says where a package comes from. */
export interface SourcedLock {
  readonly packages: Readonly<
    Record<
      string,
      { readonly resolved?: string; readonly integrity?: string; readonly hasInstallScript?: boolean }
    >
  >;
}

/** Packages that are fetched from elsewhere than the registry, or of whose bytes nothing is known. */
export function unprovenPackages({ packages }: SourcedLock): string[] {
  return Object.entries(packages).flatMap(([path, { resolved, integrity }]) => {
    if (path === '') return [];
    const isFromRegistry = resolved === undefined || resolved.startsWith('https://registry.npmjs.org/');
    return [
      ...(isFromRegistry ? [] : [`${path} comes from ${resolved}`]),
      ...(/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '') ? [] : [`${path} has no sha512`]),
    ];
  });
}

/** Names of the packages that run a script when they are installed. */
export function packagesWithScripts({ packages }: SourcedLock): string[] {
  const paths = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript);
  return [...new Set(paths.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13)))].sort();
}
