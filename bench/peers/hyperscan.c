/*
 * Counts the lines of a file in which one of some regular expressions matches, by Hyperscan 5.
 * usage: hyperscan blocks|lines REGEXES LOG
 * blocks: the file is one text; lines: each line is a text of its own, left at its first match.
 */
#include <fcntl.h>
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
  char *text;
  size_t length;
};

struct count {
  const char *text;
  size_t length;
  unsigned long long line_end;
  unsigned long lines;
  int any;
};

static void fail(const char *what) {
  fprintf(stderr, "hyperscan: %s\n", what);
  exit(1);
}

static struct file mapped(const char *path) {
  int fd = open(path, O_RDONLY);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0) fail(path);
  char *text = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (text == MAP_FAILED) fail("mmap");
  return (struct file){text, status.st_size};
}

/* A line matches once, however many of its places do. */
static int in_block(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
  (void)id, (void)from, (void)flags;
  struct count *count = context;
  if (count->any && to <= count->line_end) return 0;
  const char *end = memchr(count->text + to, '\n', count->length - to);
  count->line_end = end == NULL ? count->length : (unsigned long long)(end - count->text);
  count->any = 1;
  count->lines++;
  return 0;
}

static int in_line(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
  (void)id, (void)from, (void)to, (void)flags;
  ((struct count *)context)->lines++;
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 4) fail("usage: hyperscan blocks|lines REGEXES LOG");
  int blocks = strcmp(argv[1], "blocks") == 0;
  struct file regexes = mapped(argv[2]), log = mapped(argv[3]);
  const char *expressions[256];
  unsigned flags[256], ids[256], n = 0;
  for (char *line = strtok(regexes.text, "\n"); line != NULL && n < 256; line = strtok(NULL, "\n")) {
    expressions[n] = line;
    flags[n] = blocks ? HS_FLAG_MULTILINE : HS_FLAG_SINGLEMATCH;
    ids[n] = n;
    n++;
  }
  hs_database_t *database;
  hs_compile_error_t *error;
  if (hs_compile_multi(expressions, flags, ids, n, HS_MODE_BLOCK, NULL, &database, &error) != HS_SUCCESS)
    fail(error->message);
  hs_scratch_t *scratch = NULL;
  if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS) fail("no scratch space");
  struct count count = {log.text, log.length, 0, 0, 0};
  if (blocks) {
    /* hs_scan takes lengths of 32 bits; pieces end at newlines. */
    for (size_t start = 0; start < log.length;) {
      size_t length = log.length - start > 1u << 30 ? 1u << 30 : log.length - start;
      const char *last = memrchr(log.text + start, '\n', length);
      if (last != NULL) length = last + 1 - (log.text + start);
      struct count piece = {log.text + start, length, 0, 0, 0};
      hs_scan(database, log.text + start, length, 0, scratch, in_block, &piece);
      count.lines += piece.lines;
      start += length;
    }
  } else {
    for (const char *line = log.text, *end = log.text + log.length; line < end;) {
      const char *stop = memchr(line, '\n', end - line);
      if (stop == NULL) stop = end;
      hs_scan(database, line, stop - line, 0, scratch, in_line, &count);
      line = stop + 1;
    }
  }
  printf("%lu\n", count.lines);
  return 0;
}
