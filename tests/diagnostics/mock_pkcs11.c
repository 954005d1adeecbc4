/* A PKCS#11 library with the faults of real ones, chosen by -DFAULT_…; C_Login aborts in all of them. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong;
typedef struct { unsigned char major, minor; } version;
typedef struct { version cryptoki; unsigned char maker[32]; ulong flags; unsigned char text[32]; version lib; } info;
typedef struct { unsigned char text[64], maker[32]; ulong flags; version hw, fw; } slot_info;
typedef struct {
    unsigned char label[32], maker[32], model[16], serial[16];
    ulong flags, counts[10];
    version hw, fw;
    unsigned char time[16];
} token_info;

enum { OK = 0, DEVICE_ERROR = 0x30, UNSUPPORTED = 0x54, BUFFER_TOO_SMALL = 0x150 };
enum { INITIALIZED = 0x400, PIN_SET = 0x8 };

static void fill(unsigned char *to, size_t size, const char *text) {
    memset(to, ' ', size);
    memcpy(to, text, strlen(text));
}

#ifdef FAULT_LOAD_SEGFAULT
__attribute__((constructor)) static void on_load(void) { raise(SIGSEGV); }
#endif
#ifdef FAULT_LOAD_EXIT
__attribute__((constructor)) static void on_load(void) { _exit(0); }
#endif

static ulong initialize(void *arguments) {
#ifdef FAULT_SEGFAULT
    raise(SIGSEGV);
#endif
#ifdef FAULT_HANG
    for (;;) pause();
#endif
#ifdef FAULT_EXIT
    printf("{\"complete\": true, \"slots\": []}\n"); /* a lie on standard output must not pass for the document */
    fflush(stdout);
    exit(0);
#endif
#ifdef FAULT_GRANDCHILD
    pid_t child = fork();
    if (child == 0) for (;;) pause();
    FILE *note = fopen(getenv("MOCK_NOTE"), "w");
    fprintf(note, "%d", child);
    fclose(note);
    for (;;) pause();
#endif
#ifdef FAULT_NOISE
    printf("vendor banner\n");
    fflush(stdout);
#endif
    return OK;
}

static ulong finalize(void *reserved) { return OK; }
static ulong get_info(info *out) {
    memset(out, 0, sizeof *out);
    out->cryptoki.major = 2;
    fill(out->maker, 32, "Mock");
    fill(out->text, 32, "Mock");
    return OK;
}

static ulong slot_list(unsigned char present, ulong *list, ulong *count) {
    if (list) {
        if (*count < 2) return BUFFER_TOO_SMALL;
        list[0] = 0;
        list[1] = 1;
    }
    *count = 2;
    return OK;
}

static ulong slot_details(ulong slot, slot_info *out) {
    memset(out, 0, sizeof *out);
    fill(out->text, 64, "Mock slot");
    fill(out->maker, 32, "Mock");
    out->flags = 1;
    return OK;
}

static ulong token_details(ulong slot, token_info *out) {
    if (slot == 0) return DEVICE_ERROR;
#ifdef FAULT_TOKEN
    raise(SIGSEGV);
#endif
#ifdef FAULT_DEVICE
    return DEVICE_ERROR;
#endif
    memset(out, 0, sizeof *out);
    memcpy(out->label, "\xd1\xdd\xca\xbe", 4); /* GBK, not UTF-8 */
    fill(out->maker, 32, "Mock vendor");
    fill(out->model, 16, "Mock key");
    fill(out->serial, 16, "MOCK00000001");
    out->flags = INITIALIZED | PIN_SET;
#ifdef PIN_FLAG
    out->flags |= PIN_FLAG;
#endif
    return OK;
}

static ulong open_session(ulong slot, ulong flags, void *app, void *notify, ulong *session) {
    *session = 1;
    return OK;
}
static ulong one(ulong session) { return OK; }
static ulong find_init(ulong session, void *template, ulong count) { return OK; }
static ulong find(ulong session, ulong *objects, ulong max, ulong *count) {
    *count = 0;
    return OK;
}
static ulong login(ulong session, ulong user, unsigned char *pin, ulong length) { abort(); }
static ulong unsupported(void) { return UNSUPPORTED; }

ulong C_GetFunctionList(void **out);
static struct { version cryptoki; void *functions[68]; } list;

ulong C_GetFunctionList(void **out) {
    list.cryptoki.major = 2;
    list.cryptoki.minor = 20;
    for (int index = 0; index < 68; index++) list.functions[index] = unsupported;
    list.functions[0] = initialize;
    list.functions[1] = finalize;
    list.functions[2] = get_info;
    list.functions[3] = C_GetFunctionList;
    list.functions[4] = slot_list;
    list.functions[5] = slot_details;
    list.functions[6] = token_details;
    list.functions[12] = open_session;
    list.functions[13] = one;
    list.functions[18] = login;
    list.functions[26] = find_init;
    list.functions[27] = find;
    list.functions[28] = one;
    *out = &list;
    return OK;
}
