import process from 'node:process';
import type { Platform } from '../../scripts/packaging/locked-packages.ts';

/** What this machine is, so that a package made for it runs here. */
export function thisMachine(): Platform {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return { os: process.platform, cpu: process.arch, libc: header.glibcVersionRuntime ? 'glibc' : 'musl' };
}
