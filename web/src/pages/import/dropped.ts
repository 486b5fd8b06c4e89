/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders that were dropped on the page. Recordings are read by the server from its own inbox, so what is
 * dropped says which of the inbox's files are meant: by name and size. */

export type Dropped = { path: string; n_bytes: number; isFolder: boolean };

const fileOf = (e: FileSystemFileEntry): Promise<File> => new Promise((good, bad) => e.file(good, bad));

/* The dropped things themselves, not what lies in folders: the server looks into those. */
export async function droppedOf(items: DataTransferItemList): Promise<Dropped[]> {
  const entries = [...items].flatMap((i) => i.webkitGetAsEntry() ?? []);
  return Promise.all(
    entries.map(async (e) => ({
      path: e.name,
      isFolder: e.isDirectory,
      n_bytes: e.isFile ? (await fileOf(e as FileSystemFileEntry)).size : 0,
    })),
  );
}

export type Listing = { path: string; folders: readonly string[]; files: readonly { name: string; n_bytes: number }[] };

/* Which of the dropped things lie in the listed folder, as paths of the inbox, and which do not. A file of the same
 * name but another size is another file. */
export function matchDropped(dropped: readonly Dropped[], inbox: Listing): { found: string[]; missing: string[] } {
  const at = (name: string): string => (inbox.path ? `${inbox.path}/${name}` : name);
  const found: string[] = [];
  const missing: string[] = [];
  for (const d of dropped) {
    const there = d.isFolder
      ? inbox.folders.includes(d.path)
      : inbox.files.some((f) => f.name === d.path && f.n_bytes === d.n_bytes);
    if (there) found.push(at(d.path));
    else missing.push(d.path);
  }
  return { found, missing };
}
