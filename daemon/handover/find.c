/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of the questions: the recorded process, a main process by its tags, what is left of the recorded
 * process's group, anything else of its run.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/find.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "handover/process-identity.h"
#include "model/error.h"
#include "process/credentials.h"
#include "process/tags.h"

typedef struct {
  const ZinitFinder *finder;
  const char *name;
  const ZinitSavedService *saved; /* NULL = not known */
  const ZinitDefinition *definition;
  ZinitAdoption *adoption;
} Search;

static const ZinitStateExtensions *
extra_of (const Search *search)
{
  return search->saved != NULL ? search->saved->extra : NULL;
}

/* The user id that its processes have; FALSE when it cannot be told, and then no tags are believed. */
static gboolean
get_expected_uid (const Search *search, uid_t *ret_uid)
{
  const ZinitDefinition *definition = search->definition;
  g_auto (ZinitCredentials) identity = { 0 };

  if (!zinit_credentials_resolve (definition->user, definition->group, &identity, NULL))
    return FALSE;
  *ret_uid = identity.sets_uid ? identity.uid : geteuid ();
  return TRUE;
}

/* Transfer full. */
static char *
make_instance_tag (const Search *search)
{
  uid_t uid;
  g_autofree char *instance =
      zinit_tags_instance_for (search->finder->instance, get_expected_uid (search, &uid) ? uid : geteuid ());

  return g_strconcat (ZINIT_TAG_INSTANCE "=", instance, NULL);
}

/* @pid has the output pipes, or another process of its group has: a zombie has none any more. */
static void
open_outputs (const Search *search, pid_t pid, pid_t group)
{
  const ZinitStateExtensions *extra = extra_of (search);
  const guint64 inodes[ZINIT_N_STREAMS] = {
    [ZINIT_STREAM_STDOUT] = extra != NULL ? extra->stdout_inode : 0,
    [ZINIT_STREAM_STDERR] = extra != NULL ? extra->stderr_inode : 0,
  };
  g_autofree char *service = g_strconcat (ZINIT_TAG_SERVICE "=", search->name, NULL);
  g_autofree char *instance = make_instance_tag (search);
  const char *const tags[] = { service, instance, NULL };

  if (search->finder->inherited != NULL) {
    search->adoption->ready_fd = zinit_inherited_take_ready (search->finder->inherited, search->name);
    search->adoption->notify_fd = zinit_inherited_take_notify (search->finder->inherited, search->name);
  }
  if (search->finder->inherited != NULL &&
      zinit_inherited_take_pipes (search->finder->inherited, search->name, search->adoption->outputs))
    return;
  zinit_room_enter (search->finder->room);
  zinit_leftover_open_outputs (pid, inodes, search->adoption->outputs);
  zinit_leftovers_find_outputs (tags, group, inodes, search->adoption->outputs);
  zinit_room_leave (search->finder->room);
}

static gboolean
has_ended (int pidfd)
{
  struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

  return poll (&poll_fd, 1, 0) == 1;
}

/* Its tags name it as the main process of another service: the state is wrong. */
static gboolean
is_of_another (const Search *search, pid_t pid)
{
  for (guint i = 0; i < search->finder->leftovers->len; i++) {
    const ZinitLeftover *leftover = search->finder->leftovers->pdata[i];

    if (leftover->pid == pid && leftover->main == pid)
      return !g_str_equal (leftover->service, search->name);
  }
  return FALSE;
}

/* What this process watched before it executed itself anew, or started a moment ago, needs no proof. */
static int
open_known (const Search *search)
{
  const ZinitSavedService *saved = search->saved;
  pid_t pid = (pid_t)saved->pid;
  int pidfd = search->finder->inherited != NULL
                  ? zinit_inherited_take_non_child (search->finder->inherited, pid)
                  : -1;

  if (pidfd < 0 && search->finder->is_own_state && !extra_of (search)->main_ended)
    pidfd = zinit_identity_open_child (pid);
  return pidfd;
}

static ZinitFound
find_recorded (const Search *search)
{
  const ZinitSavedService *saved = search->saved;
  const ZinitStateExtensions *extra = saved->extra;
  guint64 start_ticks = extra != NULL ? extra->pid_start_ticks : 0;
  gboolean main_ended = extra != NULL && extra->main_ended;
  ZinitIdentity proof = ZINIT_IDENTITY_ALIVE;
  int pidfd;

  if (saved->pid < 2 || saved->pid > G_MAXINT32 || is_of_another (search, (pid_t)saved->pid))
    return ZINIT_FOUND_NONE;
  if (g_hash_table_contains (search->finder->claimed, GUINT_TO_POINTER (saved->pid))) {
    g_warning ("%s: process %u already belongs to another service", search->name, saved->pid);
    return ZINIT_FOUND_NONE;
  }
  pidfd = extra != NULL ? open_known (search) : -1;
  /* One that has ended may be there as a zombie, but has no executable to go by. */
  if (pidfd < 0)
    proof =
        zinit_identity_open (saved->pid, start_ticks, main_ended ? NULL : search->definition->exec, &pidfd);
  if (proof != ZINIT_IDENTITY_ALIVE)
    return proof == ZINIT_IDENTITY_DEAD ? ZINIT_FOUND_NONE : ZINIT_FOUND_UNKNOWN;
  *search->adoption = (ZinitAdoption){ .pid = (pid_t)saved->pid, .start_ticks = start_ticks, .pidfd = pidfd };
  return ZINIT_FOUND_MAIN;
}

/* A process can give itself any tags, and keeps them when it executes a program that changes its user ids;
 * the ids themselves it cannot choose. */
static gboolean
may_be_of (const Search *search, const ZinitLeftover *leftover)
{
  uid_t uid;

  return g_str_equal (leftover->service, search->name) &&
         !g_hash_table_contains (search->finder->claimed, GINT_TO_POINTER (leftover->pid)) &&
         leftover->has_uid && get_expected_uid (search, &uid) && leftover->uid == uid;
}

static ZinitFound
find_tagged_main (const Search *search)
{
  const ZinitLeftover *found = NULL;
  int pidfd = -1;

  for (guint i = 0; i < search->finder->leftovers->len; i++) {
    const ZinitLeftover *leftover = search->finder->leftovers->pdata[i];

    if (leftover->main == leftover->pid && (found == NULL || leftover->run > found->run) &&
        may_be_of (search, leftover))
      found = leftover;
  }
  if (found == NULL)
    return ZINIT_FOUND_NONE;
  errno = 0;
  pidfd = zinit_leftover_open (found, search->finder->instance);
  if (pidfd < 0 && !zinit_error_is_transient (errno))
    return ZINIT_FOUND_NONE;
  *search->adoption = (ZinitAdoption){ .pid = found->pid, .pidfd = pidfd };
  if (found->start_ticks != G_MAXUINT64)
    search->adoption->start_ticks = found->start_ticks;
  return pidfd >= 0 ? ZINIT_FOUND_MAIN : ZINIT_FOUND_UNKNOWN;
}

static gboolean
take_first (pid_t pid, int pidfd, gpointer data)
{
  pid_t *found = data;

  if (*found == 0)
    *found = pid;
  return TRUE;
}

static ZinitFound
take_group (const Search *search, pid_t group, pid_t member)
{
  const ZinitStateExtensions *extra = extra_of (search);

  *search->adoption = (ZinitAdoption){ .pid = group, .pidfd = -1, .main_ended = TRUE };
  if (search->saved != NULL && extra != NULL && group == (pid_t)search->saved->pid)
    search->adoption->start_ticks = extra->pid_start_ticks;
  open_outputs (search, member, group);
  return ZINIT_FOUND_REST;
}

/* As long as one process of a group lives, the kernel gives the group's number to no other. */
static ZinitFound
find_recorded_group (const Search *search)
{
  pid_t group = (pid_t)search->saved->pid, member = 0;
  g_autofree char *service = g_strconcat (ZINIT_TAG_SERVICE "=", search->name, NULL);
  g_autofree char *instance = make_instance_tag (search);
  const char *const tags[] = { service, instance, NULL };

  if (search->saved->pid < 2 || search->saved->pid > G_MAXINT32)
    return ZINIT_FOUND_NONE;
  if (kill (-group, 0) != 0 && errno == ESRCH)
    return ZINIT_FOUND_NONE;
  if (!zinit_tags_walk_group (group, tags, take_first, &member, NULL))
    return ZINIT_FOUND_UNKNOWN;
  return member == 0 ? ZINIT_FOUND_NONE : take_group (search, group, member);
}

/* What a main process leaves is nobody's with this kill_mode (rule G7). */
static gboolean
leaves_rest (const Search *search, gboolean is_active)
{
  if (search->definition->kill_mode != ZINIT_KILL_MODE_MAIN)
    return FALSE;
  if (is_active && search->saved->pid >= 2 && search->saved->pid <= G_MAXINT32 &&
      kill (-(pid_t)search->saved->pid, 0) == 0)
    g_message ("%s: its main process ended; what it left running belongs to no service now, as its kill_mode "
               "is main",
               search->name);
  return TRUE;
}

/* A process of the run that is on record, or of any if none is: the main process's group if there is
 * something left of it, else what has gone into a session of its own. */
static ZinitFound
find_tagged_rest (const Search *search)
{
  const ZinitStateExtensions *extra = extra_of (search);
  guint64 run = extra != NULL ? extra->run : 0;
  const ZinitLeftover *found = NULL;

  for (guint i = 0; i < search->finder->leftovers->len; i++) {
    const ZinitLeftover *leftover = search->finder->leftovers->pdata[i];

    if (leftover->main == leftover->pid || (run != 0 && leftover->run != run) ||
        !may_be_of (search, leftover))
      continue;
    if (found == NULL || (leftover->group == leftover->main && found->group != found->main))
      found = leftover;
  }
  return found == NULL ? ZINIT_FOUND_NONE : take_group (search, found->group, found->pid);
}

static ZinitFound
find (const Search *search, gboolean *ret_by_tags)
{
  gboolean is_active =
      search->saved != NULL && search->saved->has_pid && zinit_state_is_active (search->saved->state);
  ZinitFound recorded = is_active ? find_recorded (search) : ZINIT_FOUND_NONE;
  ZinitAdoption zombie = *search->adoption;
  ZinitFound found;

  if (is_active && search->finder->room->n_to_come > 0)
    search->finder->room->n_to_come--;

  if (recorded == ZINIT_FOUND_MAIN && !has_ended (zombie.pidfd))
    return recorded;
  /* The recorded one may have ended, been started anew by a daemon that could not record it, and not been
   * reaped. */
  found = find_tagged_main (search);
  if (found == ZINIT_FOUND_UNKNOWN && recorded == ZINIT_FOUND_NONE) {
    *ret_by_tags = TRUE;
    return found;
  }
  if (found == ZINIT_FOUND_MAIN) {
    if (recorded == ZINIT_FOUND_MAIN)
      close (zombie.pidfd);
    *ret_by_tags = TRUE;
    return found;
  }
  *search->adoption = zombie;
  if (recorded != ZINIT_FOUND_NONE)
    return recorded;
  if (leaves_rest (search, is_active))
    return ZINIT_FOUND_NONE;
  found = is_active ? find_recorded_group (search) : ZINIT_FOUND_NONE;
  /* Of one that is not active everything was gone when that was saved. */
  if (found == ZINIT_FOUND_NONE && (is_active || search->saved == NULL)) {
    found = find_tagged_rest (search);
    *ret_by_tags = search->saved == NULL;
  }
  return found;
}

ZinitFound
zinit_find_process (const ZinitFinder *finder, const char *name, const ZinitSavedService *saved,
                    const ZinitDefinition *definition, ZinitAdoption *ret_adoption, gboolean *ret_by_tags)
{
  Search search = { finder, name, saved, definition, ret_adoption };
  ZinitFound found;

  *ret_adoption = (ZinitAdoption){ .pidfd = -1, .outputs = { -1, -1 } };
  *ret_by_tags = FALSE;
  found = find (&search, ret_by_tags);
  if (found == ZINIT_FOUND_MAIN)
    open_outputs (&search, ret_adoption->pid, ret_adoption->pid);
  if (found == ZINIT_FOUND_MAIN || found == ZINIT_FOUND_REST)
    g_hash_table_add (finder->claimed, GINT_TO_POINTER (ret_adoption->pid));
  if (found == ZINIT_FOUND_REST)
    g_message ("%s: its main process has ended, other processes of it have not", name);
  return found;
}
