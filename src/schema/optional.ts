import { type TSchema, Type } from 'typebox';

/** Clients send null as well as nothing for what is not set. */
export const optional = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));
