import { CopyOut } from '../../lib/pg-copy-out.ts';
import type { RowStream } from '../contract.ts';
import { lostOrRefused } from './bulk-errors.ts';

/** As `CopyOut`, and says of a failure whether a new try may work. */
export class CopyOutRows extends CopyOut implements RowStream {
  override handleError(error: Error): void {
    super.handleError(lostOrRefused(error) as Error);
  }
}
