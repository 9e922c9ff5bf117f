/** An expression of a Bicep file. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: number | boolean | null }
  | { readonly kind: 'text'; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: 'name'; readonly name: string }
  | ObjectExpression
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | LoopExpression
  | { readonly kind: 'if'; readonly condition: Expression; readonly body: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'member'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'nested'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'index'; readonly of: Expression; readonly at: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'minus'; readonly of: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'choice';
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  | { readonly kind: 'lambda'; readonly parameter: string; readonly body: Expression };

/** `{ … }`, in which resources may be declared, too. */
export interface ObjectExpression {
  readonly kind: 'object';
  readonly properties: readonly { readonly key: Expression; readonly value: Expression }[];
  readonly resources: readonly ResourceStatement[];
}

/** `[for item in list: body]` */
export interface LoopExpression {
  readonly kind: 'loop';
  readonly item: string;
  readonly index: string | undefined;
  readonly over: Expression;
  readonly body: Expression;
}

/** `@name(args)` above a statement. */
export interface Decorator {
  readonly name: string;
  readonly args: readonly Expression[];
}

interface Declared {
  readonly name: string;
  readonly decorators: readonly Decorator[];
}

export interface ParameterStatement extends Declared {
  readonly kind: 'param';
  readonly defaultValue: Expression | undefined;
}

export interface ResourceStatement extends Declared {
  readonly kind: 'resource';
  /** As written: `Microsoft.X/y@version`, or only `y` inside its parent. */
  readonly type: string;
  readonly existing: boolean;
  readonly body: Expression;
}

/** A statement of a Bicep file. */
export type Statement =
  | ParameterStatement
  | ResourceStatement
  | (Declared & { readonly kind: 'module'; readonly path: string; readonly body: Expression })
  | (Declared & { readonly kind: 'var' | 'output' | 'metadata' | 'targetScope'; readonly value: Expression });

/** A parsed Bicep file. */
export interface BicepFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly statements: readonly Statement[];
}
