/** The canonical form of JSON-LD: a stand-in until the contexts are carried here. */
export async function canonicalHash(_document: object): Promise<string> {
  throw new Error('JSON-LD is not read here');
}
