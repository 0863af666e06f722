// Commands that a reader copies into a terminal.

/** A word for a POSIX shell, as it is: nothing in it is a command, whatever it holds. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The folder of results that a page lies in: known of one that is opened from the disk. */
export function folderOf({ protocol, pathname }: Pick<Location, "protocol" | "pathname">): string {
  if (protocol !== "file:") return "results";
  const folder = pathname.slice(0, pathname.lastIndexOf("/"));
  try {
    // Windows: /C:/results
    return decodeURIComponent(folder).replace(/^\/(?=[A-Za-z]:)/, "") || "/";
  } catch {
    return folder;
  }
}

/** The command that shows a tile in the viewer. */
export function viewerCommand(place: Location, sample: string, tile: string, method: string): string {
  const words = ["python", "scripts/view.py", folderOf(place), "--sample", sample, "--tile", tile, "--method", method];
  return words.map(quoted).join(" ");
}
