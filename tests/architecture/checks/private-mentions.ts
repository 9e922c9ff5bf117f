import type { TextFile } from '../reading/source-file.ts';

/** What belongs to the machine or the network of whoever wrote a file, and means nothing elsewhere. */
const privateShapes: readonly (readonly [shape: RegExp, advice: string])[] = [
  [/\.\.\/shared(?![\w-])/, 'names a folder outside of the repository'],
  // /home/site is the place of an app in Azure, the same for everybody.
  [
    /(?<![\w.~}*-])\/(?:work|tmp|root|Users|home(?!\/site\b))\/[\w.@-]/,
    'names a path of one machine: use a relative path or the temporary folder of the system',
  ],
  [/https?:\/\/[^\s/'"]*(?:artifactory|verdaccio|nexus)/i, 'names a private registry'],
  [/https?:\/\/(?:registry|npm)\.(?!npmjs\.org\b)[^\s/'"]+/i, 'names another registry than the public one'],
];

/** Mentions of private places in texts, as `path:line`. */
export function privateMentions(files: readonly TextFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const found = privateShapes.filter(([shape]) => shape.test(line));
      return found.map(([, advice]) => `${path}:${index + 1} ${advice}`);
    }),
  );
}

/** Entries of a package-lock.json that would be fetched from elsewhere than the public registry. */
export function privatePackages(lock: string): string[] {
  const { packages } = JSON.parse(lock) as { packages: Record<string, { resolved?: string }> };
  return Object.entries(packages)
    .filter(
      ([, { resolved }]) => resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'),
    )
    .map(
      ([name]) => `${name} is resolved from a place that is not public: remove "resolved" and install again`,
    );
}
