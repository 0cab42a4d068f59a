import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { Type } from 'typebox';
import { sizeKeyword, sizeOf } from '../schema/bounded.ts';
import type { App } from './app.ts';

/**
 * Bodies are taken as they are: `"5"` is no number and 5 is no string. Query strings and path parameters are
 * text, so there numbers and booleans are read from it. Members nobody declared are let through and ignored.
 */
export function installValidation(app: App): void {
  const sized = (ajv: Ajv) =>
    ajv.addKeyword({
      keyword: sizeKeyword,
      validate: checkSize,
      errors: true,
    });
  const common = {
    allErrors: false,
    useDefaults: true,
    removeAdditional: false as const,
    strict: false,
    verbose: true,
  };
  const strict = sized(addFormats.default(new Ajv(common)));
  const coercing = sized(addFormats.default(new Ajv({ ...common, coerceTypes: 'array' })));
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const validate = (httpPart === 'body' ? strict : coercing).compile(schema as object);
    return Type.IsOptional(schema) ? orNothing(validate) : validate;
  });
  // Response schemas describe; what is sent is what the route made, member for member.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

/** For a body that may be left out altogether: `Type.Optional` says nothing about a value that stands alone. */
function orNothing(
  validate: ValidateFunction,
): Pick<ValidateFunction, 'errors'> & ((data: unknown) => boolean) {
  const check = Object.assign(
    (data: unknown) => {
      const valid = data === undefined || data === null || validate(data);
      check.errors = valid ? null : validate.errors;
      return valid;
    },
    { errors: validate.errors },
  );
  return check;
}

/** @see docs/limits.md for what counts. */
function checkSize(most: number, value: unknown): boolean {
  const size = sizeOf(value);
  if (size <= most) return true;
  checkSize.errors = [{ message: `is of size ${size}, and takes ${most} (docs/limits.md)`, params: {} }];
  return false;
}
checkSize.errors = [] as object[];
