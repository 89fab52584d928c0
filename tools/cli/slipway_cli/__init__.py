"""The operator's program, and what ./run starts: broker, sandbox and services on one machine."""
