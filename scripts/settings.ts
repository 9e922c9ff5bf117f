import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeSettings } from '../src/lib/config/index.ts';
import { exampleLocalSettings, settingsDocument } from './settings-documents.ts';

const settings = describeSettings();
const documents = {
  'docs/settings.md': settingsDocument(settings),
  'local.settings.example.json': exampleLocalSettings(settings),
};
for (const [path, text] of Object.entries(documents)) {
  writeFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), text);
  console.log(`wrote ${path}`);
}
