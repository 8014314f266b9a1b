/* SPDX-License-Identifier: Apache-2.0
 *
 * The front door of all methods: looks up the row of a method, checks the caller's rights, reads the
 * options, finds the service, calls the handler, answers. A method is one row and its handler.
 */
#pragma once

#include "bus/authorize.h"
#include "bus/options.h"

G_BEGIN_DECLS

typedef struct _ZinitMethod ZinitMethod;

/* One call on its way. */
typedef struct {
  ZinitConnection *connection; /* that of the invocation, with a reference of its own */
  ZinitInvocation *invocation;
  const ZinitMethod *method;
  ZinitCaller *caller; /* while it is handled */
  char *service_name;  /* NULL for a method of the manager as a whole */
  gboolean on_object;  /* called on the service's own object, so that the name is not an argument */
  gboolean is_privileged;
  gboolean is_deferred; /* the handler keeps the call and will answer it */
  ZinitCallOptions options;
  GList link;      /* in ZinitBus.accepted */
  GVariant *reply; /* while it is there; NULL = an empty one */
} ZinitCall;

struct _ZinitMethod {
  const char *name;        /* of org.zinit.Manager; NULL = not there */
  const char *object_name; /* the same for one service, of org.zinit.Service; NULL = not there */
  ZinitAccess access;
  guint options;          /* bits of ZinitCallOption */
  gboolean takes_service; /* its first argument on the manager is a service's name */
  /* @service is NULL unless it takes one. FALSE with @error set, or TRUE; the reply stays NULL for an empty
   * one. Floating. */
  gboolean (*handle) (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error);
};

/* Ends with a row without handler. */
extern const ZinitMethod zinit_service_methods[];
extern const ZinitMethod zinit_manager_methods[];

/* TRUE when the user of the caller has to be known, as far as the name of the method says. */
gboolean zinit_call_needs_caller (const ZinitInvocation *invocation);
/* Handles a call of org.zinit.Manager (@service_name NULL) or of the org.zinit.Service of @service_name,
 * which is there. Takes over @invocation. */
void zinit_call_begin (ZinitInvocation *invocation, ZinitCaller *caller, const char *service_name);
/* Answers and frees. @reply NULL is an empty one. */
void zinit_call_return (ZinitCall *call, GVariant *reply);
void zinit_call_return_error (ZinitCall *call, const GError *error);
/* Frees without an answer: the caller is gone. */
void zinit_call_drop (ZinitCall *call);

/* Answers the requests that were accepted in this turn of the loop, after they have become durable. */
void zinit_call_answer_accepted (ZinitBus *bus);
/* Drops those of @connection. */
void zinit_call_drop_accepted (ZinitBus *bus, ZinitConnection *connection);

/* The argument @index, not counting the service's name. Transfer full. */
GVariant *zinit_call_get_argument (const ZinitCall *call, guint index);

/* UnknownObject: no service has the object at @path. */
void zinit_set_unknown_object (GError **error, const char *path);

G_END_DECLS
