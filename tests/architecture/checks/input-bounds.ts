import * as z from 'zod';

/** A part of a JSON Schema. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly propertyNames?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly maxProperties?: number;
}

/** Each must be refused by every text that no list, number or format bounds. */
const hostileTexts = ['\0', '\n', '\x1b', '\x7f', '\x85', '\u2028', '\u202e', '\u2066', '\ud800'].flatMap(
  (character) => [character, `aaaaaaaa${character}`, `a${character}aaaaaaaaa`],
);

/**
 * Where a schema lets in what has no bound in size, count or range, or a text with control characters, as
 * `<path>: <what is missing>`.
 *
 * @param path - names the schema in what is returned
 */
export function unboundedIn(path: string, schema: z.ZodType): string[] {
  return faultsOf(path, z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema);
}

function faultsOf(path: string, schema: Schema): string[] {
  if (schema.const !== undefined || schema.enum !== undefined) return [];
  if (schema.anyOf) return schema.anyOf.flatMap((option) => faultsOf(path, option));
  return [schema.type].flat().flatMap((type) => faultsOfType(path, type, schema));
}

function faultsOfType(path: string, type: string | undefined, schema: Schema): string[] {
  switch (type) {
    case 'string':
      return faultsOfText(schema).map((fault) => `${path}: ${fault}`);
    case 'number':
    case 'integer':
      return hasBothEnds(schema) ? [] : [`${path}: a number without both ends`];
    case 'array':
      return faultsOfList(path, schema);
    case 'object':
      return faultsOfObject(path, schema);
    case 'boolean':
    case 'null':
      return [];
    default:
      return [`${path}: anything at all`];
  }
}

function faultsOfText(schema: Schema): string[] {
  const rules = [schema, ...(schema.allOf ?? [])];
  const patterns = rules.flatMap(({ pattern }) => (pattern === undefined ? [] : [new RegExp(pattern, 'u')]));
  const isBounded = rules.some(({ maxLength }) => maxLength !== undefined) || patterns.some(boundsLength);
  const passes = hostileTexts.find((text) => patterns.every((pattern) => pattern.test(text)));
  return [
    ...(isBounded ? [] : ['a text of any length']),
    ...(passes === undefined ? [] : [`a text that may hold ${JSON.stringify(passes)}`]),
  ];
}

/** Whether a pattern spans the whole text and repeats nothing without end. */
function boundsLength({ source }: RegExp): boolean {
  const withoutClasses = source.replace(/\\./g, '').replace(/\[[^\]]*\]/g, '');
  return /^\^[^|]*\$$/.test(withoutGroups(withoutClasses)) && !/[*+]|\{\d+,\}/.test(withoutClasses);
}

/** Alternatives inside of a group stay between its ends. */
function withoutGroups(source: string): string {
  const shorter = source.replace(/\([^()]*\)/g, '');
  return shorter === source ? source : withoutGroups(shorter);
}

/** Zod shows the safe integers as the range of one that was given none. */
function hasBothEnds(schema: Schema): boolean {
  const low = schema.minimum ?? schema.exclusiveMinimum ?? Number.NEGATIVE_INFINITY;
  const high = schema.maximum ?? schema.exclusiveMaximum ?? Number.POSITIVE_INFINITY;
  return low > Number.MIN_SAFE_INTEGER && high < Number.MAX_SAFE_INTEGER;
}

function faultsOfList(path: string, { items, prefixItems = [], maxItems }: Schema): string[] {
  return [
    ...(maxItems === undefined && items !== undefined ? [`${path}: a list of any length`] : []),
    ...prefixItems.flatMap((item, index) => faultsOf(`${path}[${index}]`, item)),
    ...(items === undefined ? [] : faultsOf(`${path}[]`, items)),
  ];
}

function faultsOfObject(path: string, schema: Schema): string[] {
  const { properties = {}, propertyNames, additionalProperties, maxProperties } = schema;
  const known = Object.entries(properties).flatMap(([name, value]) => faultsOf(`${path}.${name}`, value));
  if (additionalProperties === false) return known;
  if (typeof additionalProperties !== 'object' || isEmpty(additionalProperties))
    return [...known, `${path}: takes fields that it does not know`];
  return [
    ...known,
    ...(maxProperties === undefined ? [`${path}: any number of fields`] : []),
    ...faultsOf(`${path}.<name>`, propertyNames ?? {}),
    ...faultsOf(`${path}.<value>`, additionalProperties),
  ];
}

/** The schema of anything. */
function isEmpty(schema: Schema): boolean {
  return Object.keys(schema).length === 0;
}
