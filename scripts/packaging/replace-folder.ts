import { access, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { takeFolder } from '../../local/folder.ts';

/**
 * Makes a folder anew. The old one goes first, and the new one appears whole, in one step: whoever is killed
 * meanwhile, or fails, leaves no folder that looks like one to use.
 *
 * @param workFolder - for what is not finished; on the file system of `folder`
 * @param command - what the user typed, to be told to whoever comes second
 * @param fill - fills the folder it is given
 * @throws LocalError while another process does the same
 */
export async function replaceFolder<Made>(
  folder: string,
  workFolder: string,
  command: string,
  fill: (unfinished: string) => Promise<Made>,
): Promise<Made> {
  const giveBack = takeFolder(workFolder, command);
  const [unfinished, old] = [join(workFolder, 'new'), join(workFolder, 'old')];
  const tidy = () => Promise.all([unfinished, old].map((one) => rm(one, { recursive: true, force: true })));
  try {
    await tidy();
    if (await exists(folder)) await rename(folder, old);
    const made = await fill(unfinished);
    await rename(unfinished, folder);
    return made;
  } finally {
    await tidy();
    giveBack();
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
