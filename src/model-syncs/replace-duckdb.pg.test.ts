import { duckdbTarget } from '../../test/support/model-targets.ts';
import { replaceCases } from '../../test/support/replace-cases.ts';

replaceCases(duckdbTarget);
