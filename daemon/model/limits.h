/* SPDX-License-Identifier: Apache-2.0
 *
 * Every limit on what comes from outside: files, clients, services. One place, so that the man page and a
 * reader can see them side by side. Passing one gives a clear error, never a crash and never a silent cut.
 */
#pragma once

#define ZINIT_MAX_NAME_BYTES 128             /* a service's name */
#define ZINIT_MAX_DESCRIPTION_BYTES 512      /* of a service, for people */
#define ZINIT_MAX_SERVICES 20000             /* services known at one time */
#define ZINIT_MAX_DEFINITION_BYTES (1 << 20) /* one definition file, 1 MiB */
#define ZINIT_MAX_STRING_BYTES (64 * 1024)   /* one string in a definition */
#define ZINIT_MAX_LIST_ITEMS 4096            /* names in one dependency list */
#define ZINIT_MAX_WAITING_FAILURES 64   /* of other services, that one of on_failure is to be started for */
#define ZINIT_MAX_ARGUMENTS 4096        /* words of a command that is a list */
#define ZINIT_MAX_ENV_ITEMS 4096        /* variables of one service */
#define ZINIT_MAX_ENV_FILES 64          /* of variables, of one service */
#define ZINIT_MAX_ENV_FILE_BYTES 262144 /* one of them */
#define ZINIT_MAX_CAPABILITIES 64       /* in one definition */
#define ZINIT_MAX_GROUPS 256            /* supplementary groups in one definition */
#define ZINIT_MAX_DELAY_MS                                                                                   \
  (G_GUINT64_CONSTANT (1) << 53)            /* a delay or time-out; exact in every number type */
#define ZINIT_MAX_BUFFER_LINES 1000000      /* lines of one log ring */
#define ZINIT_MAX_LOG_BYTES (16 << 20)      /* bytes of one log ring, whatever its lines; oldest go first */
#define ZINIT_MAX_LINE_BYTES 8192           /* a longer line of output is split there */
#define ZINIT_MAX_LOG_REPLY_BYTES (8 << 20) /* text in one GetLogs reply; the newest lines are kept */
#define ZINIT_MAX_WAITING_CALLS 1024        /* calls with `wait` that one client has open at one time */
#define ZINIT_MAX_CALLERS 256               /* clients of a message bus that are remembered at one time */
#define ZINIT_MAX_HELD_CALLS 1024           /* of one of them, until the bus has said who it is */
#define ZINIT_MAX_QUEUED_CALLS 65536        /* of one connection, that wait for their turn */
#define ZINIT_MAX_ERROR_BYTES (64 * 1024)   /* the message of an error; more is cut off */
#define ZINIT_MAX_MATCH_RULES 512           /* of one client of the private socket */
#define ZINIT_MAX_MATCH_RULE_BYTES 1024     /* one of them */
#define ZINIT_MAX_PRIVATE_CLIENTS 256       /* connections on the private socket */
#define ZINIT_MAX_REFUSED_CLIENTS 16        /* of those over the limit, how many are being told at one time */
#define ZINIT_MAX_HANDSHAKE_LINES 32        /* before the first D-Bus message of a connection */
#define ZINIT_MAX_HANDSHAKE_LINE_BYTES 1024 /* one of them */
#define ZINIT_MAX_NOTIFY_BYTES 4096         /* one message of a service on its NOTIFY_SOCKET */
#define ZINIT_MAX_STATUS_BYTES 1024         /* of its STATUS=; the rest is cut off */
#define ZINIT_MAX_READY_LINE_BYTES 4096     /* of a service on its readiness descriptor */
#define ZINIT_RESERVED_DESCRIPTORS 64       /* that services cannot use */
#define ZINIT_CORE_DESCRIPTORS 32           /* of these, what clients cannot use either */
#define ZINIT_SERVICE_DESCRIPTORS 3         /* that a running service needs of the daemon */
#define ZINIT_MAX_CONFIG_ERRORS 1000        /* messages kept of one reading of the folder */
#define ZINIT_MAX_JSON_DEPTH 64             /* containers around a value of a JSON definition */
#define ZINIT_MAX_STATE_BYTES (256 << 20)   /* a state file, a record log */
#define ZINIT_MAX_RECORD_BYTES 512          /* the record of one start */
#define ZINIT_MAX_QUEUED_TRANSITIONS 16 /* unsent transitions kept for a service; the rest shows as a gap */
