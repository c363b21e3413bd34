/* hiredis in the rows where it fits: the loops that the other contenders run, and what they have cost.
 *
 *   get HOST PORT PASSES                 one GET after the other
 *   pipeline HOST PORT DEPTH PASSES      so many GETs together, again and again
 *   decode FILE PIECE PASSES             replies out of bytes that come in pieces
 *   encode get|set|mset|hset PASSES      a command's bytes, appended to a buffer that is used again
 *
 * prints: operations (for decode: replies), nanoseconds of CPU and of the clock, allocations, bytes allocated.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static unsigned long allocations, allocated;

/* In place of the system's, for this program and its libraries. */
void *malloc(size_t size) {
    allocations++, allocated += size;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++, allocated += count * size;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    allocations++, allocated += size;
    return __libc_realloc(old, size);
}

static void fail(const char *what) {
    fprintf(stderr, "hiredis: %s\n", what);
    exit(1);
}

static unsigned long nanos(struct timespec at) { return at.tv_sec * 1000000000ul + at.tv_nsec; }

static unsigned long cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    unsigned long micros = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ul + micros * 1000ul;
}

static unsigned long wall(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return nanos(now);
}

static unsigned long cpu_before, wall_before, allocations_before, allocated_before;

static void begin(void) {
    allocations_before = allocations, allocated_before = allocated;
    wall_before = wall(), cpu_before = cpu();
}

static void end(unsigned long operations) {
    unsigned long used = cpu() - cpu_before, taken = wall() - wall_before;
    printf("%lu %lu %lu %lu %lu\n", operations, used, taken, allocations - allocations_before,
           allocated - allocated_before);
}

static redisContext *connect_to(char **argv) {
    redisContext *context = redisConnect(argv[0], atoi(argv[1]));
    if (!context || context->err) fail("cannot connect");
    return context;
}

static char keys[10000][17];

static void make_keys(void) {
    for (int i = 0; i < 10000; i++) snprintf(keys[i], sizeof keys[i], "key:%012d", i);
}

static void check(redisReply *reply) {
    if (!reply || reply->type != REDIS_REPLY_STRING || reply->len != 64) fail("GET returned another value");
    freeReplyObject(reply);
}

static void get(char **argv) {
    redisContext *context = connect_to(argv);
    unsigned long passes = strtoul(argv[2], NULL, 10);
    begin();
    for (unsigned long i = 0; i < passes; i++) check(redisCommand(context, "GET %s", keys[i % 1024]));
    end(passes);
}

static void pipeline(char **argv) {
    redisContext *context = connect_to(argv);
    unsigned long depth = strtoul(argv[2], NULL, 10), passes = strtoul(argv[3], NULL, 10);
    begin();
    for (unsigned long pass = 0; pass < passes; pass++) {
        for (unsigned long i = 0; i < depth; i++) redisAppendCommand(context, "GET %s", keys[i]);
        for (unsigned long i = 0; i < depth; i++) {
            redisReply *reply = NULL;
            if (redisGetReply(context, (void **)&reply) != REDIS_OK) fail("no reply");
            check(reply);
        }
    }
    end(passes * depth);
}

static char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) fail("cannot read the replies");
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    char *bytes = malloc(*size);
    if (fread(bytes, 1, *size, file) != *size) fail("cannot read the replies");
    fclose(file);
    return bytes;
}

static void decode(char **argv) {
    size_t size, piece = strtoul(argv[1], NULL, 10);
    char *bytes = read_file(argv[0], &size);
    unsigned long passes = strtoul(argv[2], NULL, 10), replies = 0;
    redisReader *reader = redisReaderCreate();
    begin();
    for (unsigned long pass = 0; pass < passes; pass++) {
        for (size_t at = 0; at < size; at += piece) {
            redisReaderFeed(reader, bytes + at, size - at < piece ? size - at : piece);
            for (;;) {
                void *reply = NULL;
                if (redisReaderGetReply(reader, &reply) != REDIS_OK) fail(reader->errstr);
                if (!reply) break;
                freeReplyObject(reply);
                replies++;
            }
        }
    }
    end(replies);
}

static void encode(char **argv) {
    static const char *value = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const char *args[202];
    size_t lens[202];
    int count = 0, pairs = 0;
    if (!strcmp(argv[0], "get")) args[count++] = "GET", args[count++] = keys[7];
    if (!strcmp(argv[0], "set")) args[count++] = "SET", args[count++] = keys[7], args[count++] = value;
    if (!strcmp(argv[0], "mset")) args[count++] = "MSET", pairs = 100;
    if (!strcmp(argv[0], "hset")) args[count++] = "HSET", args[count++] = keys[7], pairs = 20;
    for (int i = 0; i < pairs; i++) args[count++] = keys[i], args[count++] = value;
    if (!count) fail("no such command");
    for (int i = 0; i < count; i++) lens[i] = strlen(args[i]);
    unsigned long passes = strtoul(argv[1], NULL, 10);
    static char out[64 << 10];
    begin();
    for (unsigned long pass = 0; pass < passes; pass++) {
        char *command;
        int length = redisFormatCommandArgv(&command, count, args, lens);
        if (length < 0 || (size_t)length > sizeof out) fail("cannot encode");
        memcpy(out, command, length);
        redisFreeCommand(command);
        __asm__ volatile("" : : "r"(out) : "memory");
    }
    end(passes);
}

int main(int argc, char **argv) {
    make_keys();
    if (argc == 5 && !strcmp(argv[1], "get")) get(argv + 2);
    else if (argc == 6 && !strcmp(argv[1], "pipeline")) pipeline(argv + 2);
    else if (argc == 5 && !strcmp(argv[1], "decode")) decode(argv + 2);
    else if (argc == 4 && !strcmp(argv[1], "encode")) encode(argv + 2);
    else fail("see the head of peers/hiredis.c");
    return 0;
}
