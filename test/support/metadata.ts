// Decorators of whatever a test loads first write their metadata by it.
import 'reflect-metadata';
