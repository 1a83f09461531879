/** Ring degree N. The build compiles the kernel once for each N that a parameter set has, and replaces this file. */
export const ringDegree: u32 = 4096;
