/* Which build of the app a page is of: the build writes it into the page. */
const mark = /<html[^>]* data-version="([0-9a-f]{12})"/;

/** The version that a page of the server's says; undefined for a page that is not Hark's. */
export const versionIn = (page: string) => mark.exec(page)?.[1];
