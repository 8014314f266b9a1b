/* SPDX-License-Identifier: Apache-2.0
 *
 * What a path of the object tree is, and the XML that describes it to clients.
 */
#pragma once

#include "bus/internal.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_OBJECT_NONE,    /* no such object */
  ZINIT_OBJECT_PARENT,  /* has children and no interface of its own: /, /org, /org/zinit/service */
  ZINIT_OBJECT_ROOT,    /* /org/zinit: the ObjectManager */
  ZINIT_OBJECT_MANAGER, /* /org/zinit/Manager */
  ZINIT_OBJECT_SERVICE, /* of a service that is there */
} ZinitObjectKind;

/* What is at a path. */
typedef struct {
  ZinitObjectKind kind;
  const GDBusInterfaceInfo *interface; /* its own; NULL = it has only the standard ones */
  ZinitService *service;               /* of a service; borrowed for the moment */
} ZinitObject;

/* Of kind NONE when there is no object at @path. */
ZinitObject zinit_object_find (const ZinitBus *bus, const char *path);
/* The answer to Introspect of @object, which is at @path. Transfer full. */
char *zinit_object_introspect (const ZinitBus *bus, const char *path, const ZinitObject *object);
/* The same of one with @interfaces (NULL-terminated) and no children. Transfer full. */
char *zinit_introspection_new (const GDBusInterfaceInfo *const *interfaces);

G_END_DECLS
