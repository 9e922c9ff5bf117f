import type { Finding } from '../config/index.ts';
import type { Clock } from '../core/index.ts';
import type { ContainerReview } from '../storage/index.ts';

/** A container, and how it is looked at. */
export interface ReviewedContainer {
  readonly name: string;
  inspect(signal: AbortSignal): Promise<ContainerReview>;
}

/** Links begin and tokens end by the clock; Azure itself refuses requests from 15 minutes on. */
const worstSkewMs = 60_000;

/** What weakens storage, as its service tells. @throws AppError as the service fails */
export async function reviewStorage(
  clock: Clock,
  containers: readonly ReviewedContainer[],
  signal: AbortSignal,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  let skewMs = 0;
  for (const { name, inspect } of containers) {
    const { isPublic, serverTime } = await inspect(signal);
    if (serverTime !== undefined) skewMs = Math.max(skewMs, Math.abs(clock.now() - serverTime));
    if (isPublic) findings.push(publicContainer(name));
  }
  if (skewMs > worstSkewMs) findings.push(clockSkew(skewMs));
  return findings;
}

function publicContainer(name: string): Finding {
  return {
    id: `public_container_${name.replaceAll('-', '_')}`,
    level: 'critical',
    title: `Anybody may read what is in the container ${name}, without a link`,
    fix: `az storage container set-permission --account-name <account> --name ${name} --public-access off, and for the whole account: az storage account update --name <account> --allow-blob-public-access false`,
  };
}

function clockSkew(skewMs: number): Finding {
  return {
    id: 'clock_skew',
    level: 'medium',
    title: `The clock here and the clock of storage are ${Math.round(skewMs / 1000)} s apart: links and tokens begin and end at the wrong time`,
    fix: 'Set the clock of this machine by NTP',
  };
}
