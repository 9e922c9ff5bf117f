export { createFiles } from './files.ts';
export { filePageShape, fileShape, listQuery } from './shapes.ts';
