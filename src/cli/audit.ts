import { type Command, InvalidArgumentError } from 'commander';
import { withRuntime } from './with-runtime.ts';

/** `crownsafe audit verify`: whether the audit trail is as it was written. */
export function addAuditCommand(program: Command): void {
  const audit = program.command('audit').description('who did what to which object');
  audit
    .command('verify')
    .description(
      'compare all rows with their seals, and these with the archive; ends with 1 at the first that is not as it was',
    )
    .option('--from <seal>', 'begin at this seal', parseSeal, 1)
    .action(({ from }: { from: number }) => verify(from));
}

function verify(from: number): Promise<void> {
  return withRuntime(async ({ audit }, signal) => {
    const { seals, rows, unsealedRows, broken } = await audit.verify(from, signal);
    if (broken) {
      const place = broken.row === undefined ? '' : `row ${broken.row} `;
      throw new Error(`seal ${broken.seal}: ${place}${broken.fault}`);
    }
    console.log(`${rows} rows under ${seals} seals, from seal ${from} on, are as they were written`);
    if (unsealedRows > 0) console.log(`${unsealedRows} rows have no seal yet`);
  });
}

function parseSeal(text: string): number {
  const seal = Number(text);
  if (!Number.isSafeInteger(seal) || seal < 1)
    throw new InvalidArgumentError('the number of a seal, from 1 on');
  return seal;
}
