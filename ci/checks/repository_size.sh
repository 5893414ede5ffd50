#!/usr/bin/env bash
# All tracked files together stay below 50 MB, including later recordings.
. "$(dirname "$0")/lib.sh"
limit=50000000

# size_of TREE: prints whether the tracked files are below the limit, by how much, and the largest folders.
size_of() {
  git -C "$1" ls-files -z | (cd "$1" && xargs -0 stat -c '%s %n' --) | awk -v limit="$limit" '
    {total += $1; n = split($2, part, "/"); folder[n > 2 ? part[1] "/" part[2] : part[1]] += $1}
    END {
      for (name in folder) if (folder[name] > total / 25) printf "%5.1f MB  %s\n", folder[name] / 1e6, name
      printf "tracked files: %.1f MB; the limit is %.1f MB\n", total / 1e6, limit / 1e6
      if (total >= limit) {printf "too large by %.1f MB; try to store new recordings in a smaller form\n", (total - limit) / 1e6; exit 1}
    }'
}

git -C "$root" rev-parse --git-dir >"$scratch/log" 2>&1 || skip "no git tree: $(cat "$scratch/log")"
size_of "$root" || fail "the tracked files are too large"
git init -q "$scratch/large"
truncate -s 51500000 "$scratch/large/recording"
git -C "$scratch/large" add recording
expect 1 "too large by 1.5 MB" size_of "$scratch/large"
echo passed
