// Jest cannot let a CommonJS package (the throttler, cls) require Nest while Nest itself is still being loaded as a part
// of the same graph. Loaded first, by itself, it is there when they ask.
import 'reflect-metadata';
import '@nestjs/common';
import '@nestjs/core';
