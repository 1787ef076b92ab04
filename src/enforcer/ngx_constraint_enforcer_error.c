/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Failures by name, with their kind and the status of a refusal.  The class
 * follows from the number; what it means is decided in the verdict.
 */


#include "ngx_constraint_enforcer.h"


typedef struct {
    ngx_str_t                      name;
    ngx_uint_t                     status;
    ngx_constraint_error_kind_e    kind;
} ngx_constraint_error_t;


static const ngx_constraint_error_t  ngx_constraint_errors[] = {

    [NGX_CONSTRAINT_E_NONE] =
        { ngx_null_string, 0,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_MESSAGE_TYPE_EMPTY] =
        { ngx_string("MessageTypeEmpty"), 0,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_MESSAGE_TYPE_UNKNOWN] =
        { ngx_string("MessageTypeUnknown"), 0,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_SUBJECT_MISSING] =
        { ngx_string("SubjectMissing"), 0,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_BODY_TOO_LARGE] =
        { ngx_string("BodyTooLarge"), 413,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_BODY_UNREADABLE] =
        { ngx_string("BodyUnreadable"), 400,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_BODY_INVALID] =
        { ngx_string("BodyInvalid"), 400,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_BODY_DUPLICATE_KEY] =
        { ngx_string("BodyDuplicateKey"), 400,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_PATH_AMBIGUOUS] =
        { ngx_string("PathAmbiguous"), 400,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_HEADER_REPEATED] =
        { ngx_string("HeaderRepeated"), 400,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_ARGUMENT_REPEATED] =
        { ngx_string("ArgumentRepeated"), 400,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_EVALUATION] =
        { ngx_string("EvaluationError"), 0,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_ENFORCEMENT] =
        { ngx_string("EnforcementFailure"), 0,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_UNREGISTERED] =
        { ngx_string("ConstraintUnregistered"), 0,
          NGX_CONSTRAINT_ERROR_CONFIGURATION },

    [NGX_CONSTRAINT_E_DISABLED] =
        { ngx_string("ConstraintDisabled"), 0,
          NGX_CONSTRAINT_ERROR_CONFIGURATION },

    [NGX_CONSTRAINT_E_STORE] =
        { ngx_string("StoreUnavailable"), 0,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_WORKFLOW] =
        { ngx_string("WorkflowUnavailable"), 0,
          NGX_CONSTRAINT_ERROR_CONFIGURATION },

    [NGX_CONSTRAINT_E_QUEUE_FULL] =
        { ngx_string("QueueFull"), 0,
          NGX_CONSTRAINT_ERROR_RESOURCE },

    [NGX_CONSTRAINT_E_DEADLINE] =
        { ngx_string("DeadlineExceeded"), 0,
          NGX_CONSTRAINT_ERROR_VIOLATION },

    [NGX_CONSTRAINT_E_MEMORY] =
        { ngx_string("MemoryExceeded"), 0,
          NGX_CONSTRAINT_ERROR_VIOLATION },

    [NGX_CONSTRAINT_E_COST] =
        { ngx_string("CostExceeded"), 0,
          NGX_CONSTRAINT_ERROR_VIOLATION },

    [NGX_CONSTRAINT_E_INTERNAL] =
        { ngx_string("InternalError"), 0,
          NGX_CONSTRAINT_ERROR_FAILURE },

    [NGX_CONSTRAINT_E_CPU] =
        { ngx_string("CpuExceeded"), 0,
          NGX_CONSTRAINT_ERROR_VIOLATION },

    [NGX_CONSTRAINT_E_RESOURCE] =
        { ngx_string("OutOfMemory"), 0,
          NGX_CONSTRAINT_ERROR_RESOURCE },

    [NGX_CONSTRAINT_E_BREAKER] =
        { ngx_string("BreakerOpen"), 0,
          NGX_CONSTRAINT_ERROR_FAILURE }
};


static const ngx_str_t  ngx_constraint_error_kinds[] = {
    ngx_string("Violation"),
    ngx_string("InvalidConfiguration"),
    ngx_string("ResourceExhausted"),
    ngx_string("EnforcementFailure")
};


const ngx_str_t *
ngx_constraint_error_name(ngx_constraint_error_e error)
{
    return &ngx_constraint_errors[error].name;
}


ngx_constraint_error_kind_e
ngx_constraint_error_kind(ngx_constraint_error_e error)
{
    return ngx_constraint_errors[error].kind;
}


const ngx_str_t *
ngx_constraint_error_kind_name(ngx_constraint_error_kind_e kind)
{
    return &ngx_constraint_error_kinds[kind];
}


ngx_uint_t
ngx_constraint_error_status(ngx_constraint_error_e error)
{
    return ngx_constraint_errors[error].status;
}


cel_status_t
ngx_constraint_fact_fail(ngx_constraint_failure_t *failure, cel_eval_t *eval,
    ngx_constraint_error_e error, const char *fmt, ...)
{
    char     message[CEL_MESSAGE_MAX];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);

    /* the first one is the one to be told; plain ones are CEL's to absorb */

    if (error != NGX_CONSTRAINT_E_EVALUATION
        && failure->error == NGX_CONSTRAINT_E_NONE)
    {
        failure->error = error;
        ngx_memcpy(failure->message, message, sizeof(message));
    }

    (void) cel_eval_fail(eval, CEL_E_FACT, "%s", message);
    eval->error.host_code = error;

    return CEL_ERROR;
}
