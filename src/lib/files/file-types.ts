/** A type of file that can be accepted: what it is called and how its bytes begin. */
export interface FileType {
  /** Under which it is stored. */
  readonly contentType: string;
  readonly extensions: readonly string[];
  /** Other names under which clients declare it. */
  readonly aliases: readonly string[];
  /** Looks at the first bytes, at least {@link headBytes} of them if there are so many. */
  readonly matches: (head: Buffer) => boolean;
}

/** As much of a file as is needed to know its type. */
const headBytes = 4_096;

const startsWith = (...signatures: readonly (string | readonly number[])[]) => {
  const prefixes = signatures.map((signature) => Buffer.from(signature as string, 'latin1'));
  return (head: Buffer) => prefixes.some((prefix) => head.subarray(0, prefix.length).equals(prefix));
};

/**
 * ISO base media files (HEIC, AVIF) begin with a box `ftyp` that lists the brands they comply with; the brand alone
 * tells them apart. ISO/IEC 14496-12, section 4.3; brands of HEIF and AVIF from their registrations at mp4ra.org.
 */
const hasBrand = (brands: readonly string[]) => (head: Buffer) => {
  if (head.length < 16 || head.toString('latin1', 4, 8) !== 'ftyp') return false;
  const boxEnd = Math.min(head.readUInt32BE(0), head.length);
  for (let offset = 8; offset + 4 <= boxEnd; offset += 4) {
    // Bytes 12 to 15 hold the minor version, not a brand.
    if (offset !== 12 && brands.includes(head.toString('latin1', offset, offset + 4))) return true;
  }
  return false;
};

const isWebp = (head: Buffer) =>
  head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP';

/** Every type this version knows. */
export const fileTypes: readonly FileType[] = [
  {
    contentType: 'image/jpeg',
    extensions: ['jpg', 'jpeg'],
    aliases: ['image/jpg', 'image/pjpeg'],
    matches: startsWith([0xff, 0xd8, 0xff]),
  },
  {
    contentType: 'image/png',
    extensions: ['png'],
    aliases: ['image/x-png'],
    matches: startsWith([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  },
  { contentType: 'image/webp', extensions: ['webp'], aliases: [], matches: isWebp },
  { contentType: 'image/gif', extensions: ['gif'], aliases: [], matches: startsWith('GIF87a', 'GIF89a') },
  {
    contentType: 'image/heic',
    extensions: ['heic'],
    aliases: ['image/heif'],
    matches: hasBrand(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx']),
  },
  { contentType: 'image/avif', extensions: ['avif'], aliases: [], matches: hasBrand(['avif', 'avis']) },
  {
    contentType: 'image/tiff',
    extensions: ['tiff'],
    aliases: ['image/tif'],
    matches: startsWith([0x49, 0x49, 0x2a, 0x00], [0x4d, 0x4d, 0x00, 0x2a]),
  },
  {
    contentType: 'image/bmp',
    extensions: ['bmp'],
    aliases: ['image/x-ms-bmp', 'image/x-bmp'],
    matches: startsWith('BM'),
  },
  {
    contentType: 'application/pdf',
    extensions: ['pdf'],
    aliases: ['application/x-pdf'],
    matches: startsWith('%PDF-'),
  },
];

/** The type that goes with an extension in lower case, without its dot. */
export function typeByExtension(extension: string): FileType | undefined {
  return fileTypes.find((type) => type.extensions.includes(extension));
}

/** True when a client may declare the type so; without a declaration, or with the one that says nothing, anything goes. */
export function agrees(type: FileType, declared: string | undefined): boolean {
  const name = declared?.split(';')[0]?.trim().toLowerCase();
  if (!name || name === 'application/octet-stream') return true;
  return name === type.contentType || type.aliases.includes(name);
}

/** True when the bytes begin as the type does. */
export function looksLike(type: FileType, bytes: Buffer): boolean {
  return type.matches(bytes.subarray(0, headBytes));
}
