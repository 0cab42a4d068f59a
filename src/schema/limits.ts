/** What a request may hold at most. Stated in the OpenAPI document, and in docs/limits.md. */

/** Items that one page of a list gives. */
export const mostPerPage = 100;
/** Items that one page gives if it is not said. */
export const perPage = 50;
