export { reportListShape } from './catalogue.ts';
export { createReports } from './reports.ts';
