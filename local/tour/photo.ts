import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import sharp from 'sharp';
import { prepareZXingModule, writeBarcode } from 'zxing-wasm/writer';

/** A photo as a phone would take it of a product. */
export interface Photo {
  readonly jpeg: Buffer;
  /** The EAN-13 on it. */
  readonly barcode: string;
}

const width = 1600;
const height = 1200;

/**
 * Renders a product with a barcode as a JPEG with EXIF data.
 *
 * @param serial - printed on the product, so that two photos differ
 */
export async function renderPhoto(serial: string, barcode = '4006381333931'): Promise<Photo> {
  const symbol = await renderBarcode(barcode);
  const product = Buffer.from(`
    <svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
      <defs>
        <linearGradient id="table" x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stop-color="#d8cfc0"/><stop offset="1" stop-color="#9a8c78"/>
        </linearGradient>
      </defs>
      <rect width="100%" height="100%" fill="url(#table)"/>
      <rect x="300" y="150" width="1000" height="900" rx="24" fill="#f7f7f2" stroke="#888" stroke-width="3"/>
      <text x="800" y="330" font-family="sans-serif" font-size="90" text-anchor="middle" fill="#222">Night Light</text>
      <text x="800" y="420" font-family="sans-serif" font-size="40" text-anchor="middle" fill="#555">${serial}</text>
    </svg>`);
  const jpeg = await sharp(product)
    .composite([{ input: symbol, left: 480, top: 560 }])
    .withExif({
      IFD0: { Make: 'Crown Safe', Model: 'Tour', Software: 'npm run tour' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '52/1 13/1 47/1',
        GPSLongitudeRef: 'E',
        GPSLongitude: '21/1 0/1 42/1',
      },
    })
    .jpeg({ quality: 85 })
    .toBuffer();
  return { jpeg, barcode };
}

async function renderBarcode(text: string): Promise<Buffer> {
  // The library would fetch its WebAssembly from a CDN unless it is handed over.
  const file = createRequire(import.meta.url).resolve('zxing-wasm/writer/zxing_writer.wasm');
  const wasmBinary = new Uint8Array(readFileSync(file)).buffer;
  await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  const { svg, error } = await writeBarcode(text, { format: 'EAN13', scale: 6 });
  if (!svg) throw new Error(`the barcode could not be drawn: ${error}`);
  return sharp(Buffer.from(svg)).resize({ width: 640 }).flatten({ background: '#fff' }).png().toBuffer();
}
