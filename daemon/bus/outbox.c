/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue of events in order, and beside it for each object with something unsent what of it changed.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/outbox.h"

#include "bus/properties.h"
#include "model/limits.h"
#include "names.h"
#include "object-path.h"

typedef struct _Object Object;

/* InterfacesAdded (object set, no body), InterfacesRemoved (path set), or a signal of the manager. */
typedef struct {
  GList link; /* in ZinitOutbox.events */
  const char *member;
  GVariant *body;
  char *path;
  Object *object; /* whose transition or addition it is; NULL = of no object that is there */
} Event;

/* A service with something unsent. */
struct _Object {
  GList link; /* in ZinitOutbox.changed */
  ZinitService *service;
  guint changes; /* bits of ZinitChanges; not 0 = linked */
  Event *added;  /* its InterfacesAdded is unsent */
  guint n_transitions;
  guint first; /* of the ring: the oldest */
  Event *transitions[ZINIT_MAX_QUEUED_TRANSITIONS];
};

struct _ZinitOutbox {
  GQueue events;       /* Event.link */
  GQueue changed;      /* Object.link */
  GHashTable *objects; /* ZinitService * → Object */
  guint manager_changes;
  gboolean sequence_given;    /* to the receiver, since it heard last that it is not valid */
  gboolean sequence_stale;    /* and there was a transition since */
  guint n_services, n_failed; /* as they were sent last; G_MAXUINT = never */
};

static const char added_member[] = "InterfacesAdded";
static const char *const no_names[] = { NULL };
static const char *const sequence_name[] = { "Sequence", NULL };
static const char removed_member[] = "InterfacesRemoved";

ZinitOutbox *
zinit_outbox_new (void)
{
  ZinitOutbox *outbox = g_new0 (ZinitOutbox, 1);

  outbox->n_services = outbox->n_failed = G_MAXUINT;
  g_queue_init (&outbox->events);
  g_queue_init (&outbox->changed);
  outbox->objects = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return outbox;
}

static void
event_free (ZinitOutbox *outbox, Event *event)
{
  g_queue_unlink (&outbox->events, &event->link);
  g_clear_pointer (&event->body, g_variant_unref);
  g_free (event->path);
  g_free (event);
}

void
zinit_outbox_free (ZinitOutbox *outbox)
{
  if (outbox == NULL)
    return;
  while (outbox->events.head != NULL)
    event_free (outbox, outbox->events.head->data);
  g_hash_table_unref (outbox->objects);
  g_free (outbox);
}

gboolean
zinit_outbox_is_empty (const ZinitOutbox *outbox)
{
  return outbox->events.length == 0 && outbox->changed.length == 0 && outbox->manager_changes == 0 &&
         !outbox->sequence_stale;
}

static Event *
push_event (ZinitOutbox *outbox, const char *member, GVariant *body, Object *object)
{
  Event *event = g_new0 (Event, 1);

  event->link.data = event;
  event->member = member;
  event->body = body != NULL ? g_variant_ref_sink (body) : NULL;
  event->object = object;
  g_queue_push_tail_link (&outbox->events, &event->link);
  return event;
}

static Object *
ensure_object (ZinitOutbox *outbox, ZinitService *service)
{
  Object *object = g_hash_table_lookup (outbox->objects, service);

  if (object == NULL) {
    object = g_new0 (Object, 1);
    object->link.data = object;
    object->service = service;
    g_hash_table_insert (outbox->objects, service, object);
  }
  return object;
}

static void
forget_changes (ZinitOutbox *outbox, Object *object)
{
  if (object->changes != 0)
    g_queue_unlink (&outbox->changed, &object->link);
  object->changes = 0;
}

static void
release_if_idle (ZinitOutbox *outbox, Object *object)
{
  if (object->changes == 0 && object->added == NULL && object->n_transitions == 0)
    g_hash_table_remove (outbox->objects, object->service);
}

/* The oldest unsent transition leaves the ring. */
static Event *
pop_oldest_transition (Object *object)
{
  Event *event = object->transitions[object->first];

  object->first = (object->first + 1) % ZINIT_MAX_QUEUED_TRANSITIONS;
  object->n_transitions--;
  return event;
}

void
zinit_outbox_service_added (ZinitOutbox *outbox, ZinitService *service)
{
  Object *object = ensure_object (outbox, service);

  object->added = push_event (outbox, added_member, NULL, object);
}

void
zinit_outbox_service_removed (ZinitOutbox *outbox, ZinitService *service)
{
  Object *object = g_hash_table_lookup (outbox->objects, service);
  gboolean is_unheard_of = object != NULL && object->added != NULL;

  if (object != NULL) {
    /* A service that came and went while the receiver was slow is not reported at all, or it could fill the
     * queue; otherwise its last transitions stay in their places, owned by nobody. */
    while (object->n_transitions > 0) {
      Event *event = pop_oldest_transition (object);

      event->object = NULL;
      if (is_unheard_of)
        event_free (outbox, event);
    }
    if (is_unheard_of)
      event_free (outbox, object->added);
    forget_changes (outbox, object);
    g_hash_table_remove (outbox->objects, service);
  }
  if (!is_unheard_of) {
    Event *event = push_event (outbox, removed_member, NULL, NULL);

    event->path = zinit_object_path_for_service (zinit_service_get_name (service));
  }
}

void
zinit_outbox_service_changed (ZinitOutbox *outbox, ZinitService *service, guint changes)
{
  Object *object = ensure_object (outbox, service);

  changes &= ~(guint)ZINIT_CHANGED_HIDDEN;
  /* InterfacesAdded will carry all values as they are then. */
  if (object->added != NULL || changes == 0) {
    release_if_idle (outbox, object);
    return;
  }
  if (object->changes == 0)
    g_queue_push_tail_link (&outbox->changed, &object->link);
  object->changes |= changes;
}

void
zinit_outbox_transition (ZinitOutbox *outbox, ZinitService *service, GVariant *body)
{
  Object *object = ensure_object (outbox, service);
  guint last;

  if (object->n_transitions == ZINIT_MAX_QUEUED_TRANSITIONS)
    event_free (outbox, pop_oldest_transition (object));
  last = (object->first + object->n_transitions) % ZINIT_MAX_QUEUED_TRANSITIONS;
  object->transitions[last] = push_event (outbox, "ServiceStateChanged", body, object);
  object->n_transitions++;
  outbox->sequence_stale = outbox->sequence_given;
}

void
zinit_outbox_sequence_given (ZinitOutbox *outbox)
{
  outbox->sequence_given = TRUE;
}

void
zinit_outbox_manager_changed (ZinitOutbox *outbox, guint changes)
{
  outbox->manager_changes |= changes;
}

void
zinit_outbox_signal (ZinitOutbox *outbox, const char *member, GVariant *body)
{
  push_event (outbox, member, body, NULL);
}

static void
give_properties_changed (const char *path, const char *interface, GVariant *properties,
                         const char *const *invalidated, ZinitOutboxFunc func, gpointer data)
{
  func (path, ZINIT_PROPERTIES_INTERFACE, "PropertiesChanged",
        g_variant_new ("(s@a{sv}^as)", interface, properties, invalidated), data);
}

static void
give_changes (ZinitOutbox *outbox, Object *object, ZinitOutboxFunc func, gpointer data)
{
  g_autofree char *path = zinit_object_path_for_service (zinit_service_get_name (object->service));
  GVariant *properties = zinit_service_properties (object->service, object->changes);

  forget_changes (outbox, object);
  release_if_idle (outbox, object);
  give_properties_changed (path, ZINIT_SERVICE_INTERFACE, properties, no_names, func, data);
}

static void
give_added (Object *object, ZinitOutboxFunc func, gpointer data)
{
  g_autofree char *path = zinit_object_path_for_service (zinit_service_get_name (object->service));
  GVariantBuilder interfaces;

  g_variant_builder_init (&interfaces, G_VARIANT_TYPE ("a{sa{sv}}"));
  g_variant_builder_add (&interfaces, "{s@a{sv}}", ZINIT_SERVICE_INTERFACE,
                         zinit_service_properties (object->service, ZINIT_CHANGED_ALL));
  func (ZINIT_ROOT_PATH, ZINIT_OBJECT_MANAGER_INTERFACE, added_member,
        g_variant_new ("(oa{sa{sv}})", path, &interfaces), data);
}

static void
give_event (ZinitOutbox *outbox, Event *event, ZinitOutboxFunc func, gpointer data)
{
  static const char *const gone[] = { ZINIT_SERVICE_INTERFACE, NULL };
  Object *object = event->object;

  if (event->member == added_member) {
    object->added = NULL;
    give_added (object, func, data);
  } else if (event->member == removed_member) {
    func (ZINIT_ROOT_PATH, ZINIT_OBJECT_MANAGER_INTERFACE, removed_member,
          g_variant_new ("(o^as)", event->path, gone), data);
  } else {
    if (object != NULL)
      pop_oldest_transition (object);
    func (ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, event->member, event->body, data);
  }
  event_free (outbox, event);
  if (object != NULL)
    release_if_idle (outbox, object);
}

/* A count that came back to what it was is no change. */
static void
forget_same_counts (ZinitOutbox *outbox, ZinitSupervisor *supervisor)
{
  guint n_services = zinit_supervisor_count (supervisor);
  guint n_failed = zinit_supervisor_count_failed (supervisor);

  if (n_services == outbox->n_services)
    outbox->manager_changes &= ~(guint)ZINIT_MANAGER_CHANGED_SERVICE_COUNT;
  if (n_failed == outbox->n_failed)
    outbox->manager_changes &= ~(guint)ZINIT_MANAGER_CHANGED_FAILED_COUNT;
  outbox->n_services = n_services;
  outbox->n_failed = n_failed;
}

static void
give_manager_changes (ZinitOutbox *outbox, ZinitSupervisor *supervisor, const ZinitPaths *paths,
                      ZinitOutboxFunc func, gpointer data)
{
  GVariant *properties = zinit_manager_properties (supervisor, paths, outbox->manager_changes);
  const char *const *invalidated = outbox->sequence_stale ? sequence_name : no_names;

  if (outbox->sequence_stale)
    outbox->sequence_given = FALSE;
  outbox->sequence_stale = FALSE;
  outbox->manager_changes = 0;
  give_properties_changed (ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, properties, invalidated, func, data);
}

void
zinit_outbox_drain (ZinitOutbox *outbox, ZinitSupervisor *supervisor, const ZinitPaths *paths,
                    guint max_messages, ZinitOutboxFunc func, gpointer data)
{
  forget_same_counts (outbox, supervisor);
  if (outbox->manager_changes != 0 || outbox->sequence_stale)
    give_manager_changes (outbox, supervisor, paths, func, data);
  for (guint n = 0; n < max_messages; n++) {
    Event *event = g_queue_peek_head (&outbox->events);
    Object *object = event != NULL ? event->object : g_queue_peek_head (&outbox->changed);

    /* New values first, so that a receiver that keeps a copy has them when it hears of the transition. */
    if (object != NULL && object->changes != 0)
      give_changes (outbox, object, func, data);
    else if (event != NULL)
      give_event (outbox, event, func, data);
    else
      return;
  }
}
