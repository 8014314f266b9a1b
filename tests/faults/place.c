/* SPDX-License-Identifier: Apache-2.0
 *
 * Code of the traced process, copied once, and the search for return addresses in its stack.
 */
#include "place.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX_RANGES = 64, STACK_BYTES = 4096, N_ANY = 2, LONGEST_CALL = 7 };

typedef struct {
  uint64_t start, end;
  uint64_t file_offset;
  bool is_own; /* of the program itself, not of a library */
  uint8_t *code;
} Range;

struct PlaceMap {
  pid_t pid;
  int n_ranges;
  Range ranges[MAX_RANGES];
};

static size_t
read_memory (pid_t pid, uint64_t address, void *buffer, size_t length)
{
  struct iovec local = { buffer, length };
  struct iovec remote = { (void *)address, length };
  ssize_t n = process_vm_readv (pid, &local, 1, &remote, 1, 0);

  return n > 0 ? (size_t)n : 0;
}

static void
clear (PlaceMap *map)
{
  for (int i = 0; i < map->n_ranges; i++)
    free (map->ranges[i].code);
  map->n_ranges = 0;
}

static void
add_range (PlaceMap *map, const Range *range)
{
  Range *added = &map->ranges[map->n_ranges];
  size_t length = range->end - range->start;

  *added = *range;
  added->code = malloc (length);
  if (added->code != NULL && read_memory (map->pid, range->start, added->code, length) == length)
    map->n_ranges++;
  else
    free (added->code);
}

static void
read_map (PlaceMap *map)
{
  char path[64], program[4096], line[4352];
  ssize_t length;
  FILE *file;

  clear (map);
  snprintf (path, sizeof path, "/proc/%d/exe", (int)map->pid);
  length = readlink (path, program, sizeof program - 1);
  program[length > 0 ? length : 0] = '\0';
  snprintf (path, sizeof path, "/proc/%d/maps", (int)map->pid);
  file = fopen (path, "re");
  if (file == NULL)
    return;
  while (map->n_ranges < MAX_RANGES && fgets (line, sizeof line, file) != NULL) {
    unsigned long long start, end, offset;
    char name[4096] = "", access[5];

    if (sscanf (line, "%llx-%llx %4s %llx %*s %*s %4095[^\n]", &start, &end, access, &offset, name) == 5 &&
        access[2] == 'x' && name[0] == '/') {
      Range range = { start, end, offset, strcmp (name, program) == 0, NULL };

      add_range (map, &range);
    }
  }
  fclose (file);
}

PlaceMap *
place_map_new (pid_t pid)
{
  PlaceMap *map = calloc (1, sizeof *map);

  if (map != NULL) {
    map->pid = pid;
    read_map (map);
  }
  return map;
}

void
place_map_free (PlaceMap *map)
{
  if (map == NULL)
    return;
  clear (map);
  free (map);
}

static const Range *
find_range (const PlaceMap *map, uint64_t address)
{
  for (int i = 0; i < map->n_ranges; i++)
    if (address >= map->ranges[i].start && address < map->ranges[i].end)
      return &map->ranges[i];
  return NULL;
}

/* Whether the instruction before @address may be a call: E8 with four bytes, or FF /2 of two to seven. */
static bool
follows_call (const Range *range, uint64_t address)
{
  size_t at = address - range->start;

  if (at < LONGEST_CALL)
    return false;
  if (range->code[at - 5] == 0xe8)
    return true;
  for (size_t length = 2; length <= LONGEST_CALL; length++)
    if (range->code[at - length] == 0xff && (range->code[at - length + 1] & 0x38) == 0x10)
      return true;
  return false;
}

static uint64_t
mix (uint64_t hash, uint64_t value)
{
  hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

void
place_find (PlaceMap *map, uint64_t ip, uint64_t sp, FaultCall *call)
{
  uint64_t words[STACK_BYTES / sizeof (uint64_t)];
  size_t n_words = read_memory (map->pid, sp, words, sizeof words) / sizeof *words;
  int n_any = 0, n_frames = 0;

  /* Libraries are mapped after the start, before anything runs in them. */
  if (find_range (map, ip) == NULL)
    read_map (map);
  call->place = mix (mix (1, (uint64_t)call->call), ip);
  memset (call->frames, 0, sizeof call->frames);
  for (size_t i = 0; i < n_words && n_frames < FAULT_MAX_FRAMES; i++) {
    const Range *range = find_range (map, words[i]);

    if (range == NULL || (!range->is_own && n_any == N_ANY) || !follows_call (range, words[i]))
      continue;
    n_any += !range->is_own;
    call->place = mix (call->place, words[i]);
    call->frames[n_frames++] = range->is_own ? words[i] - range->start + range->file_offset : words[i];
  }
}
