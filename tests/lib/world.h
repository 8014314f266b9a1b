/* SPDX-License-Identifier: Apache-2.0
 *
 * One supervisor after another on the same fake host: what is saved of the first as text is all that the next
 * one knows, and the processes live on meanwhile. How a daemon saves and restores is known here alone.
 */
#pragma once

#include "fake-host.h"
#include "handover/snapshot.h"

G_BEGIN_DECLS

typedef struct {
  FakeHost host;
  ZinitPaths paths; /* config_dir alone is used */
  ZinitSupervisor *supervisor;
  ZinitRecordLog *records; /* of no file */
  ZinitSnapshot *snapshot;
  const ZinitObserver *observer; /* of whoever looks on, told as well; its data is the world */
  char *saved;                   /* what a kill at this moment leaves; never NULL */
  gboolean is_due;               /* something has changed that is saved before it is acknowledged */
  gboolean is_shutting_down;
  gboolean is_down;  /* the shutdown is done */
  GHashTable *told;  /* name → state that the last transition led to; world-check.c's */
  GHashTable *bonds; /* who was up with what it binds to at the last check; the same */
  guint64 sequence;  /* of the last transition; the same */
} World;

/* @config_dir must be an empty folder; @observer may be NULL. Both must outlive the world. */
void world_init (World *world, const char *config_dir, const ZinitObserver *observer);
void world_clear (World *world);

/* All that is saved now, as text. Transfer full. */
char *world_save (World *world);
/* As a daemon does: saves if something is due, or in any case with @is_all. */
void world_commit (World *world, gboolean is_all);
/* The supervisor is gone; processes go on. */
void world_crash (World *world);
/* After a crash: the next supervisor, which has read @text and the folder. It has not run yet. */
void world_restore (World *world, const char *text);
/* Reads all of @text. Transfer full. */
ZinitSavedState *world_parse (const char *text);
/* FALSE while the text does not hold a definition that waits for the next start of a service without a file,
 * nor the fact that one without a file has replaced or removed a service whose file is still there: the next
 * daemon goes by the file then. */
gboolean world_saves_pending (void);

G_END_DECLS
