/* SPDX-License-Identifier: Apache-2.0
 *
 * What a daemon that executed itself anew left open for this one: pipes, the private socket, the lock.
 * The variables that name it are read once and leave the environment, so that no service sees them.
 */
#pragma once

#include <sys/types.h>

#include "persist/runtime-folder.h"
#include "persist/state-format.h"

G_BEGIN_DECLS

typedef struct {
  gboolean is_reexecuted;   /* by this very process; else nothing was left, or by another process */
  GHashTable *pipes;        /* service → ZinitInheritedPipes; what is not used is closed at the end */
  GHashTable *ready;        /* service → its readiness descriptor, the same */
  GHashTable *notify;       /* service → its NOTIFY_SOCKET, the same */
  GHashTable *non_children; /* pid → pidfd of a process that is not our child, the same */
  int listener;             /* of the private socket; -1 = none */
  int lock;                 /* -1 = none */
  int lock_watch;           /* zinit_runtime_lock_get_watch(); -1 = none */
  guint64 file_limit;       /* the soft RLIMIT_NOFILE that the first daemon was started with; 0 = not known */
} ZinitInherited;

typedef struct {
  int outputs[ZINIT_N_STREAMS]; /* -1 = none, or taken */
} ZinitInheritedPipes;

/* Reads ZINIT_FDS (or, when it was too long for a variable, ZINIT_FDS_FILE of @folder, which is opened then),
 * as the format describes it, and our own ZINIT_HANDOVER. A descriptor that is not open, not what it is said
 * to be, below 3 or named twice is passed over with a warning; all others get close-on-exec back. Transfer
 * full. */
ZinitInherited *zinit_inherited_take (ZinitRuntimeFolder *folder);
/* Closes what was not taken. */
void zinit_inherited_free (ZinitInherited *inherited);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitInherited, zinit_inherited_free)

/* Gives the pipes of @service away; FALSE when there are none. */
gboolean zinit_inherited_take_pipes (ZinitInherited *inherited, const char *service,
                                     int outputs[ZINIT_N_STREAMS]);

/* Gives what @service says on that it is ready away; 0 = there is none. Transfer full. */
int zinit_inherited_take_ready (ZinitInherited *inherited, const char *service);
int zinit_inherited_take_notify (ZinitInherited *inherited, const char *service);

/* Gives the pidfd of @pid away; -1 when there is none. Transfer full. */
int zinit_inherited_take_non_child (ZinitInherited *inherited, pid_t pid);

/* What is handed over beside the map of descriptors of the format. Borrowed. */
typedef struct {
  GHashTable *non_children; /* pid → pidfd */
  GHashTable *ready;        /* service → descriptor */
  GHashTable *notify;       /* the same */
  int lock, lock_watch;
  guint64 file_limit;
} ZinitOffer;

/* The other side. The variables are set from these, and unset again if the execution fails. */
void zinit_inherited_offer (const ZinitSavedFds *fds, const ZinitOffer *offer);
void zinit_inherited_withdraw (void);

G_END_DECLS
