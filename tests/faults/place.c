/* SPDX-License-Identifier: Apache-2.0
 *
 * Code of the traced program, copied once, and the search for return addresses in its stack.
 */
#include "place.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { STACK_BYTES = 4096, LONGEST_CALL = 7 };

struct PlaceMap {
  pid_t pid;
  uint64_t start, end;
  uint64_t file_offset;
  uint8_t *code;
};

static size_t
read_memory (pid_t pid, uint64_t address, void *buffer, size_t length)
{
  struct iovec local = { buffer, length };
  struct iovec remote = { (void *)address, length };
  ssize_t n = process_vm_readv (pid, &local, 1, &remote, 1, 0);

  return n > 0 ? (size_t)n : 0;
}

/* Only the executable part of the program's own file. */
static void
find_code (PlaceMap *map)
{
  char path[64], program[4096], line[4352];
  ssize_t length;
  FILE *file;

  snprintf (path, sizeof path, "/proc/%d/exe", (int)map->pid);
  length = readlink (path, program, sizeof program - 1);
  program[length > 0 ? length : 0] = '\0';
  snprintf (path, sizeof path, "/proc/%d/maps", (int)map->pid);
  file = fopen (path, "re");
  while (file != NULL && map->end == 0 && fgets (line, sizeof line, file) != NULL) {
    unsigned long long start, end, offset;
    char name[4096], access[5];

    if (sscanf (line, "%llx-%llx %4s %llx %*s %*s %4095[^\n]", &start, &end, access, &offset, name) == 5 &&
        access[2] == 'x' && strcmp (name, program) == 0) {
      map->start = start;
      map->end = end;
      map->file_offset = offset;
    }
  }
  if (file != NULL)
    fclose (file);
}

PlaceMap *
place_map_new (pid_t pid)
{
  PlaceMap *map = calloc (1, sizeof *map);
  size_t length;

  if (map == NULL)
    return NULL;
  map->pid = pid;
  find_code (map);
  length = map->end - map->start;
  map->code = malloc (length);
  if (map->code == NULL || read_memory (pid, map->start, map->code, length) != length)
    map->end = map->start;
  return map;
}

void
place_map_free (PlaceMap *map)
{
  if (map == NULL)
    return;
  free (map->code);
  free (map);
}

/* Whether the instruction before @address may be a call: E8 with four bytes, or FF /2 of two to seven. */
static bool
follows_call (const PlaceMap *map, uint64_t address)
{
  size_t at = address - map->start;

  if (address < map->start + LONGEST_CALL || address >= map->end)
    return false;
  if (map->code[at - 5] == 0xe8)
    return true;
  for (size_t length = 2; length <= LONGEST_CALL; length++)
    if (map->code[at - length] == 0xff && (map->code[at - length + 1] & 0x38) == 0x10)
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
place_find (PlaceMap *map, uint64_t sp, FaultCall *call)
{
  uint64_t words[STACK_BYTES / sizeof (uint64_t)];
  size_t n_words = read_memory (map->pid, sp, words, sizeof words) / sizeof *words;
  int n_frames = 0;

  call->place = mix (mix (1, (uint64_t)call->call), call->is_main);
  memset (call->frames, 0, sizeof call->frames);
  for (size_t i = 0; i < n_words && n_frames < FAULT_MAX_FRAMES; i++) {
    if (!follows_call (map, words[i]))
      continue;
    /* The address in the file is the same wherever the program was loaded. */
    call->frames[n_frames] = words[i] - map->start + map->file_offset;
    call->place = mix (call->place, call->frames[n_frames++]);
  }
}
