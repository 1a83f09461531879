/* Non-local means of one slice, in floats; see non_local_means.py. */
#include <math.h>
#include <stdlib.h>

/* The nearest pixel inside the image. */
static int nearest(int at, int size) { return at < 0 ? 0 : at >= size ? size - 1 : at; }

/* Adds the pixel at `from`, whose surroundings differ by `distance` from those of `at`, to the mean of `at`. */
static void take(const float *image, const float *deviation, int at, int from, float distance, float strength,
                 float *sum, float *weights)
{
  float variance = deviation[at] * deviation[at];
  float beyond = fmaxf(0, distance - 2 * variance);
  float weight = beyond == 0 ? 1 : expf(-beyond / (strength * strength * variance));
  sum[at] += weight * image[from];
  weights[at] += weight;
}

/* image, deviation, guide, sum: [size, size]; search and patch: whole sides, odd. 0, or -1 where memory ends. */
int non_local_means(const float *image, const float *deviation, const float *guide, int size, int search, int patch, float strength, float *sum)
{
  int reach = search / 2, half = patch / 2, edge = reach + half, side = size + 2 * edge;
  float *padded = malloc(sizeof(float) * side * side), *squares = malloc(sizeof(float) * side * side);
  float *columns = malloc(sizeof(float) * side), *weights = malloc(sizeof(float) * size * size);
  if (!padded || !squares || !columns || !weights) return free(padded), free(squares), free(columns), free(weights), -1;
  for (int y = 0; y < side; y++)
    for (int x = 0; x < side; x++)
      padded[y * side + x] = guide[nearest(y - edge, size) * size + nearest(x - edge, size)];
  for (int at = 0; at < size * size; at++) sum[at] = image[at], weights[at] = 1;
  for (int down = 0; down <= reach; down++)
    for (int right = down == 0 ? 1 : -reach; right <= reach; right++) {
      /* A pair of pixels counts for both of them, so half of the offsets is enough. */
      for (int y = reach; y < side - reach; y++)
        for (int x = reach; x < side - reach; x++) {
          float difference = padded[y * side + x] - padded[(y + down) * side + x + right];
          squares[y * side + x] = difference * difference;
        }
      for (int y = 0; y + down < size; y++) {
        for (int x = reach; x < side - reach; x++) {
          columns[x] = 0;
          for (int row = 0; row < patch; row++) columns[x] += squares[(y + reach + row) * side + x];
        }
        for (int x = right < 0 ? -right : 0; x < (right > 0 ? size - right : size); x++) {
          float distance = 0;
          for (int column = 0; column < patch; column++) distance += columns[x + reach + column];
          distance /= patch * patch;
          int at = y * size + x, other = (y + down) * size + x + right;
          take(image, deviation, at, other, distance, strength, sum, weights);
          take(image, deviation, other, at, distance, strength, sum, weights);
        }
      }
    }
  for (int at = 0; at < size * size; at++) sum[at] /= weights[at];
  free(padded), free(squares), free(columns), free(weights);
  return 0;
}
