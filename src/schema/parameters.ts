import { Type } from 'typebox';

export const IdParameter = Type.Object({ id: Type.String() });
