/** What an expression comes to. */
export type Value = string | number | boolean | null | readonly Value[] | Values | Reference | Lambda;

export interface Values {
  readonly [key: string]: Value;
}

/** A resource or module somewhere else in the templates, of which members can be asked for. */
export class Reference {
  readonly member: (name: string) => Value;
  /** Only of resources: one that is declared inside of it. */
  readonly nested: (name: string) => Value;

  constructor(member: Reference['member'], nested: Reference['nested']) {
    this.member = member;
    this.nested = nested;
  }
}

export class Lambda {
  readonly apply: (argument: Value) => Value;

  constructor(apply: Lambda['apply']) {
    this.apply = apply;
  }
}

export function isValues(value: Value | undefined): value is Values {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Reference) &&
    !(value instanceof Lambda)
  );
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** The value at a path of keys; `undefined` where there is none. */
export function at(value: Value | undefined, path: string): Value | undefined {
  return path
    .split('.')
    .reduce<Value | undefined>((part, key) => (isValues(part) ? part[key] : undefined), value);
}

export function textOf(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`${describe(value)} is no text`);
}

export function listOf(value: Value | undefined): readonly Value[] {
  if (isList(value)) return value;
  throw new Error(`${describe(value)} is no list`);
}

export function describe(value: Value | undefined): string {
  if (value instanceof Reference) return 'a resource or module';
  return value instanceof Lambda ? 'a function' : String(JSON.stringify(value));
}
