/* A delegate that does what its options say, to see what the worker makes of it.

     take=NAME[,NAME…]      operators to take: a custom operator's name or a builtin operator's number; "none" for none.
                            edgetpu-custom-op if nothing is said
     latency_us=N           how long each call of a taken part takes; 0 if nothing is said
     fail=create|prepare    answers with an error there; "device=absent" is the same as fail=create
     crash=prepare|invoke   reads from nowhere there: SIGSEGV

   What it took is never computed: outputs are filled with a fixed pattern. Compiled with -DEDGETPU it bears the mark of
   libedgetpu's C interface. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi.h"

#define EXPORTED __attribute__((visibility("default")))

typedef struct {
  TfLiteDelegate delegate; /* first, so that its address is that of the whole */
  char take[256];
  long latency_us;
  char fail[16], crash[16];
} StandIn;

static void crash(void) {
  volatile int *volatile nowhere = NULL; /* or the compiler leaves out what it sees to be undefined */
  *nowhere = 1;
}

/* The buffer is a TfLiteDelegateParams, and the delegate is its first field. */
static void *begin(TfLiteContext *context, const char *buffer, size_t length) {
  (void)context, (void)length;
  return *(void **)buffer;
}

static void end(TfLiteContext *context, void *own) { (void)context, (void)own; }

static TfLiteStatus ready(TfLiteContext *context, TfLiteNode *node) {
  (void)context, (void)node;
  return kTfLiteOk;
}

static TfLiteStatus invoke(TfLiteContext *context, TfLiteNode *node) {
  const StandIn *own = node->user_data;
  if (!strcmp(own->crash, "invoke")) crash();
  const struct timespec latency = {own->latency_us / 1000000, own->latency_us % 1000000 * 1000};
  nanosleep(&latency, NULL);
  for (int i = 0; i < node->outputs->size; i++) {
    const TfLiteTensor *output = &context->tensors[node->outputs->data[i]];
    for (size_t byte = 0; byte < output->bytes; byte++) ((uint8_t *)output->data)[byte] = byte % 5;
  }
  return kTfLiteOk;
}

static bool takes(const StandIn *own, const TfLiteRegistration *operator) {
  char name[64], list[sizeof own->take];
  if (operator->custom_name)
    snprintf(name, sizeof name, "%s", operator->custom_name);
  else
    snprintf(name, sizeof name, "%d", (int)operator->builtin_code);
  strcpy(list, own->take);
  for (char *rest, *each = strtok_r(list, ",", &rest); each; each = strtok_r(NULL, ",", &rest))
    if (!strcmp(each, name)) return true;
  return false;
}

static TfLiteStatus prepare(TfLiteContext *context, TfLiteDelegate *delegate) {
  const StandIn *own = (StandIn *)delegate;
  TfLiteIntArray *plan;
  if (!strcmp(own->crash, "prepare")) crash();
  if (!strcmp(own->fail, "prepare") || context->GetExecutionPlan(context, &plan) != kTfLiteOk) return kTfLiteError;
  TfLiteIntArray *taken = malloc(sizeof *taken + sizeof(int) * (size_t)plan->size);
  taken->size = 0;
  for (int i = 0; i < plan->size; i++) {
    TfLiteNode *node;
    TfLiteRegistration *operator;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &operator) == kTfLiteOk && takes(own, operator))
      taken->data[taken->size++] = plan->data[i];
  }
  const TfLiteRegistration kernel = {.init = begin, .free = end, .prepare = ready, .invoke = invoke,
                                     .builtin_code = kTfLiteBuiltinDelegate, .custom_name = "StandIn", .version = 1};
  const TfLiteStatus status =
      taken->size ? context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, taken, delegate) : kTfLiteOk;
  free(taken);
  return status;
}

static void set(StandIn *own, const char *name, const char *value) {
  if (!strcmp(name, "take")) snprintf(own->take, sizeof own->take, "%s", value);
  if (!strcmp(name, "latency_us")) own->latency_us = atol(value);
  if (!strcmp(name, "fail")) snprintf(own->fail, sizeof own->fail, "%s", value);
  if (!strcmp(name, "crash")) snprintf(own->crash, sizeof own->crash, "%s", value);
  if (!strcmp(name, "device") && !strcmp(value, "absent")) strcpy(own->fail, "create");
}

/* The count is an int: Python passes it as one. */
EXPORTED TfLiteDelegate *tflite_plugin_create_delegate(char **names, char **values, int count,
                                                       void (*report)(const char *)) {
  StandIn *own = calloc(1, sizeof *own);
  strcpy(own->take, "edgetpu-custom-op");
  own->delegate.Prepare = prepare;
  /* Without it the runtime prepares the operator that only the delegate knows, and fails. */
  own->delegate.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
  for (int i = 0; i < count; i++) set(own, names[i], values[i]);
  if (strcmp(own->fail, "create")) return &own->delegate;
  if (report) report("no device was found");
  free(own);
  return NULL;
}

EXPORTED void tflite_plugin_destroy_delegate(TfLiteDelegate *delegate) { free(delegate); }

#ifdef EDGETPU
EXPORTED const char *edgetpu_version(void) { return "a stand-in"; }
#endif
