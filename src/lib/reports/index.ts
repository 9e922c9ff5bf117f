export { reportListShape } from './catalogue.ts';
export { createReports, type Reports } from './reports.ts';
